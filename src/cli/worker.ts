import { formatNumber } from '../units.js';
import { BullMQConsumer } from '../integration/bullmq/bullmq-consumer.js';
import type { BullMQConsumerOptions, JobReport } from '../integration/bullmq/consumer-options.js';
import { reportOf } from './exit-code.js';
import type { Session, VerbOutcome } from './session.js';
import { visible } from './terminal.js';

export interface WorkerVerbOptions {
  readonly queue: string;
  readonly connection?: string;
  readonly prefix?: string;
  readonly root?: string;
  /** Modules, relative to the root. */
  readonly only: readonly string[];
  readonly threads?: number;
  /** Asynchronous tasks that one thread runs at once. */
  readonly perThread: number;
  readonly lockMs: number;
  readonly maxStalls: number;
  readonly drainTimeoutMs: number;
  readonly payloadFolder?: string;
  /** A line for every job, not only for those that fail. */
  readonly verbose: boolean;
}

/** One complaint about the backend in so long: a lost connection tells of itself with every command. */
const COMPLAINT_MS = 5_000;

/** `sysopt worker`: runs the jobs of a queue in local threads until it is told to stop. */
export async function workerVerb(
  options: WorkerVerbOptions,
  { terminal, signal }: Session,
): Promise<VerbOutcome> {
  const consumer = await BullMQConsumer.start(consumerOptions(options));
  const { backend, concurrency } = consumer.stats;
  const jobs = concurrency === 1 ? 'one job at a time' : `up to ${concurrency} jobs at once`;
  terminal.print(`Taking jobs from queue "${options.queue}" (${backend}), ${jobs}.`);
  const line = (what: string, job: JobReport) =>
    terminal.print(
      `${new Date().toISOString()} ${what} ${visible(job.task)} ${job.id}, ${formatNumber(job.durationMs)} ms`,
    );
  if (options.verbose) consumer.on('completed', (job) => line('done', job));
  consumer.on('returned', (job) => line('handed back', job));
  consumer.on('failed', (job) => {
    line(job.isFinal ? 'failed for good' : 'failed, will be tried again', job);
    terminal.warn(`${job.id}: ${reportOf(job.error).message}`);
  });
  let complainedMs = -Infinity;
  consumer.on('connectionError', (error) => {
    if (performance.now() - complainedMs < COMPLAINT_MS) return;
    complainedMs = performance.now();
    terminal.warn(`The queue: ${error.message || String((error as NodeJS.ErrnoException).code)}`);
  });
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
  terminal.print(`Takes no more jobs; ${consumer.stats.running} are running.`);
  await consumer.close({ drainTimeoutMs: options.drainTimeoutMs });
  const { completed, failed, returned } = consumer.stats;
  terminal.print(`Jobs completed: ${completed}, attempts failed: ${failed}, handed back: ${returned}.`);
  return { result: { queue: options.queue, backend, completed, failed, returned } };
}

function consumerOptions(options: WorkerVerbOptions): BullMQConsumerOptions {
  const { queue, connection, prefix, root, only, threads, perThread, lockMs, maxStalls, payloadFolder } =
    options;
  return {
    queue,
    lockMs,
    maxStalls,
    threads: {
      concurrentTasksPerThread: perThread,
      ...(threads !== undefined && { maxThreads: threads }),
    },
    ...(connection !== undefined && { connection }),
    ...(prefix !== undefined && { prefix }),
    ...(root !== undefined && { root }),
    ...(only.length > 0 && { only }),
    ...(payloadFolder !== undefined && { payloadFolder }),
  };
}

/**
 * CPU profiles of worker threads, also of those with no code of ours in them: the inspector session of the main
 * thread speaks to theirs (domain NodeWorker). A worker answers between two of its own statements; one that sleeps
 * in `Atomics.wait` answers when it wakes, and is left out where it does not in time.
 *
 * Each worker is detached from at the end. `NodeWorker.disable` alone does not do that, and neither does the end of the
 * session: Node's two halves of such a connection hold each other, so it would stay in the worker until that ends.
 */
import { HEADROOM_TO_READ, headroomBytes, noHeadroom } from '../headroom.js';
import type { Gathered, Sampler, SamplingWindow } from '../sampler.js';
import type { RawCpuProfile } from '../cpu/raw.js';
import { summariseCpuProfile } from '../cpu/summary.js';
import type { InspectorSession } from '../inspector-session.js';
import type { ThreadProfile } from '../../model/signals.js';

/** More workers than this are counted, not profiled. */
const MAX_WORKERS = 64;
const ANSWER_MS = 1500;
/** The monitor's watchdog, which is no part of the program. */
const OWN_WORKER = '/profiling/watchdog-worker.js';
/** Names the thread that evaluates it; any worker of Node 20.16 or later can. */
const THREAD_LINK = `process.getBuiltinModule('node:fs').readlinkSync('/proc/thread-self')`;

/** What this needs of an inspector session, which may be another process'. */
export type WorkerInspector = Pick<InspectorSession, 'post' | 'on' | 'off'>;

interface Attached {
  readonly sessionId: string;
  readonly workerInfo: { readonly workerId: string; readonly title?: string; readonly url: string };
}

interface Worker extends Attached {
  tid: number | undefined;
  answers: Map<number, (result: unknown) => void>;
  profile: RawCpuProfile | undefined;
}

export class WorkerSampler implements Sampler {
  readonly name = 'workers';
  /** Names of the workers' threads by the kernel's id, as far as they are known. */
  readonly threads = new Map<number, string>();
  readonly #session: WorkerInspector;
  readonly #workers = new Map<string, Worker>();
  /** Connections to give back: of workers that are not profiled, too. */
  readonly #connections = new Set<string>();
  #window: SamplingWindow | undefined;
  #nextId = 1;
  #isEnabled = false;
  readonly #onAttached = (params: unknown) => this.#attach(params as Attached);
  readonly #onMessage = (params: unknown) => this.#receive(params as { sessionId: string; message: string });
  readonly #onDetached = (params: unknown) => this.#detach((params as { sessionId: string }).sessionId);

  /** Workers that have not told their thread. */
  get unnamed(): number {
    return [...this.#workers.values()].filter(({ tid }) => tid === undefined).length;
  }

  constructor(session: WorkerInspector) {
    this.#session = session;
  }

  start(window: SamplingWindow): void {
    if (window.type === 'memory') return;
    this.#window = window;
    this.#session.on('NodeWorker.attachedToWorker', this.#onAttached);
    this.#session.on('NodeWorker.receivedMessageFromWorker', this.#onMessage);
    this.#session.on('NodeWorker.detachedFromWorker', this.#onDetached);
    try {
      this.#session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
      this.#isEnabled = true;
    } catch {
      // A worker that profiles itself has no say over others.
      this.#unsubscribe();
    }
  }

  stop(gathered: Gathered): void {
    const left = headroomBytes();
    if (left < HEADROOM_TO_READ && this.#workers.size > 0) {
      gathered.warnings.push(noHeadroom('The profile of the worker threads', left).message);
      this.#workers.clear();
      return;
    }
    for (const worker of this.#workers.values())
      this.#send(worker, 'Profiler.stop', {}, (result) => {
        worker.profile = (result as { profile?: RawCpuProfile }).profile;
      });
  }

  async late(gathered: Gathered): Promise<void> {
    if (!this.#isEnabled) return;
    const deadline = performance.now() + ANSWER_MS;
    while (this.#isWaiting() && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
    this.release();
    const { sources, maxFunctions } = this.#window!;
    const profiles: ThreadProfile[] = [];
    for (const { workerInfo, tid, profile } of this.#workers.values()) {
      if (profile === undefined) continue;
      const { functions, operations, callTree, metrics } = summariseCpuProfile(
        profile,
        sources,
        maxFunctions,
      );
      profiles.push({
        workerId: workerInfo.workerId,
        ...(tid === undefined ? {} : { tid }),
        title: workerInfo.title ?? `worker ${workerInfo.workerId}`,
        url: workerInfo.url,
        sampledMs: (profile.endTime - profile.startTime) / 1000,
        busyShare: metrics['cpu.busy.share'] ?? 0,
        functions,
        operations,
        callTree,
      });
    }
    gathered.threadProfiles = profiles;
    const silent = this.#workers.size - profiles.length;
    if (silent > 0) {
      gathered.warnings.push(
        `${silent} of ${this.#workers.size} worker threads did not answer within ${ANSWER_MS} ms, as a thread does that waits in Atomics.wait or in native code: their functions are not known.`,
      );
    }
    if (profiles.length > 0) gathered.set('thread.workers.lockShare', lockShare(profiles));
  }

  release(): void {
    if (!this.#isEnabled) return;
    this.#isEnabled = false;
    this.#unsubscribe();
    this.#session.post('NodeWorker.disable');
    for (const sessionId of this.#connections) this.#session.post('NodeWorker.detach', { sessionId });
    this.#connections.clear();
  }

  #isWaiting(): boolean {
    return [...this.#workers.values()].some(
      ({ profile, answers }) => profile === undefined && answers.size > 0,
    );
  }

  #attach({ sessionId, workerInfo }: Attached): void {
    this.#connections.add(sessionId);
    if (this.#workers.size >= MAX_WORKERS || workerInfo.url.endsWith(OWN_WORKER)) return;
    const worker: Worker = { sessionId, workerInfo, tid: undefined, answers: new Map(), profile: undefined };
    this.#workers.set(sessionId, worker);
    this.#send(worker, 'Profiler.enable', {});
    this.#send(worker, 'Profiler.setSamplingInterval', { interval: this.#window!.samplingIntervalUs });
    this.#send(worker, 'Profiler.start', {});
    // As in the main thread (cpu-profile.ts): loops entered by on-stack replacement would have no frame. Under the
    // profiler's eyes: between two commands a loop that spins for long is optimised again.
    this.#send(worker, 'Profiler.startPreciseCoverage', { callCount: false, detailed: false });
    this.#send(worker, 'Profiler.stopPreciseCoverage', {});
    this.#send(worker, 'Runtime.evaluate', { expression: THREAD_LINK, returnByValue: true }, (result) => {
      const { value } = (result as { result?: { value?: unknown } }).result ?? {};
      const tid = Number(/\/task\/(\d+)$/.exec(String(value))?.[1]);
      if (!(tid > 0)) return;
      worker.tid = tid;
      this.threads.set(tid, `worker ${workerInfo.workerId}`);
    });
  }

  #detach(sessionId: string): void {
    this.#connections.delete(sessionId);
    const worker = this.#workers.get(sessionId);
    if (worker === undefined || worker.profile !== undefined) return;
    // It ended, and its profile with it.
    this.#workers.delete(sessionId);
  }

  #send(
    worker: Worker,
    method: string,
    params: object,
    onAnswer: (result: unknown) => void = () => {},
  ): void {
    const id = this.#nextId++;
    worker.answers.set(id, onAnswer);
    const message = JSON.stringify({ id, method, params });
    try {
      this.#session.post('NodeWorker.sendMessageToWorker', { sessionId: worker.sessionId, message });
    } catch {
      worker.answers.delete(id);
    }
  }

  #receive({ sessionId, message }: { sessionId: string; message: string }): void {
    const worker = this.#workers.get(sessionId);
    const answer = JSON.parse(message) as { id?: number; result?: unknown };
    if (worker === undefined || answer.id === undefined) return;
    const onAnswer = worker.answers.get(answer.id);
    worker.answers.delete(answer.id);
    onAnswer?.(answer.result ?? {});
  }

  #unsubscribe(): void {
    this.#session.off('NodeWorker.attachedToWorker', this.#onAttached);
    this.#session.off('NodeWorker.receivedMessageFromWorker', this.#onMessage);
    this.#session.off('NodeWorker.detachedFromWorker', this.#onDetached);
  }
}

function lockShare(profiles: readonly ThreadProfile[]): number {
  const sampled = profiles.reduce((sum, { sampledMs }) => sum + sampledMs, 0);
  const locked = profiles
    .flatMap(({ operations }) => operations)
    .reduce((sum, { kind, totalMs }) => sum + (kind === 'lock' ? totalMs : 0), 0);
  return sampled === 0 ? 0 : locked / sampled;
}

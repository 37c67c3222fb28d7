/**
 * What new objects hang on: a heap snapshot before everything else starts and one after everything has stopped, so that
 * neither is part of any figure. They are read in a thread of their own; the program goes on meanwhile.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getHeapStatistics, writeHeapSnapshot } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Retainer } from '../../model/signals.js';
import { formatBytes } from '../../units.js';
import type { RetainersAnswer, RetainersQuestion } from '../heap/retainers-worker.js';
import type { Gathered, Sampler, SamplingWindow } from '../sampler.js';

/** A snapshot of more stops a program for ten seconds and longer. */
const MAX_HEAP_BYTES = 128 * 2 ** 20;
/** V8 builds the whole graph before it writes it: 14 times the heap, where objects are small. */
const MEMORY_PER_HEAP = 16;

/** The compiled package: this file is two folders below it. */
const OWN = fileURLToPath(new URL('../../', import.meta.url));

export class RetainerSampler implements Sampler {
  readonly name = 'retainers';
  readonly lateMs = 120_000;
  #folder: string | undefined;
  #worker: Worker | undefined;
  #warning: string | undefined;

  start({ type, retainers }: SamplingWindow): void {
    if (!retainers || type !== 'memory') return;
    if (this.#isTooLarge()) return;
    this.#folder = mkdtempSync(join(tmpdir(), 'sysopt-heap-'));
    writeHeapSnapshot(this.#file('first'));
  }

  stop(gathered: Gathered): void {
    if (this.#warning !== undefined) gathered.warnings.push(this.#warning);
  }

  async late(gathered: Gathered): Promise<void> {
    if (this.#folder === undefined) return;
    if (this.#isTooLarge()) {
      gathered.warnings.push(this.#warning!);
      return;
    }
    writeHeapSnapshot(this.#file('second'));
    const retainers = await this.#ask({ first: this.#file('first'), second: this.#file('second') });
    gathered.retainers = retainers.filter(({ location }) => location?.file.startsWith(OWN) !== true);
  }

  release(): void {
    void this.#worker?.terminate();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  #file(name: 'first' | 'second'): string {
    return join(this.#folder!, `${name}.heapsnapshot`);
  }

  #isTooLarge(): boolean {
    const { used_heap_size: used } = getHeapStatistics();
    const spare = process.availableMemory();
    const why =
      used > MAX_HEAP_BYTES
        ? `of more than ${formatBytes(MAX_HEAP_BYTES)} would stop the program for too long`
        : used * MEMORY_PER_HEAP > spare
          ? `takes up to ${MEMORY_PER_HEAP} times as much memory, and only ${formatBytes(spare)} are to be had`
          : undefined;
    if (why === undefined) return false;
    this.#warning = `What kept objects hang on was not looked for: the heap has ${formatBytes(used)}, and a snapshot ${why}.`;
    return true;
  }

  async #ask(question: RetainersQuestion): Promise<readonly Retainer[]> {
    const worker = new Worker(new URL('../heap/retainers-worker.js', import.meta.url), {
      workerData: question,
      name: 'sysopt-retainers',
      // It runs our file alone: neither the program's flags nor an agent in NODE_OPTIONS belong into it.
      execArgv: [],
      env: {},
      stdin: false,
    });
    this.#worker = worker;
    return await new Promise((resolve, reject) => {
      worker.once('message', ({ retainers, error }: RetainersAnswer) =>
        retainers === undefined ? reject(new Error(error)) : resolve(retainers),
      );
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('its thread ended')));
    });
  }
}

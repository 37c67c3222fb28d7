/**
 * What new objects hang on: a heap snapshot before everything else starts and one after everything has stopped, so that
 * neither is part of any figure.
 *
 * A snapshot holds all of the program's data. The first is read and removed at once, since only its newest id is wanted; the
 * second is read by a thread of its own, which removes it before it begins to think. What a killed process leaves is removed
 * by the next one.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getHeapStatistics, writeHeapSnapshot } from 'node:v8';
import type { Worker } from 'node:worker_threads';
import type { Retainer } from '../../model/signals.js';
import { formatBytes } from '../../units.js';
import { newestId } from '../heap/heap-snapshot.js';
import type { RetainersAnswer, RetainersQuestion } from '../heap/retainers-worker.js';
import { ownWorker } from '../own-worker.js';
import { READING_SNAPSHOTS_MS } from '../protocol.js';
import type { Gathered, SlowSampler } from '../sampler.js';

/** A snapshot of more stops a program for ten seconds and longer. */
const MAX_HEAP_BYTES = 128 * 2 ** 20;
/** V8 builds the whole graph before it writes it: 14 times the heap, where objects are small. */
const MEMORY_PER_HEAP = 16;

const FOLDER = 'sysopt-heap-';
/** No run needs its folder for so long. */
const ABANDONED_MS = 30 * 60_000;

/** The compiled package: this file is two folders below it. */
const OWN = fileURLToPath(new URL('../../', import.meta.url));

const NOT_LOOKED_FOR = 'What kept objects hang on was not looked for';

export class RetainerSampler implements SlowSampler {
  readonly name = 'retainers';
  readonly lateMs = READING_SNAPSHOTS_MS;
  readonly #keepAlive: boolean;
  #folder: string | undefined;
  #newerThan: number | undefined;
  #gathered: Gathered | undefined;
  #worker: Worker | undefined;
  #isAnswered = false;

  /** @param keepAlive whether reading the second snapshot may keep the process alive. */
  constructor(keepAlive: boolean) {
    this.#keepAlive = keepAlive;
  }

  start(): void {
    if (whyNot() !== undefined) return;
    removeAbandoned();
    this.#folder = mkdtempSync(join(tmpdir(), FOLDER));
    const file = join(this.#folder, 'first.heapsnapshot');
    writeHeapSnapshot(file);
    this.#newerThan = newestId(readFileSync(file));
    rmSync(file);
  }

  stop(gathered: Gathered): void {
    this.#gathered = gathered;
    gathered.retainers = [];
  }

  async late(gathered: Gathered): Promise<void> {
    const why = whyNot();
    if (this.#newerThan === undefined || why !== undefined) {
      gathered.warnings.push(
        `${NOT_LOOKED_FOR}: ${why ?? 'the heap was too large at the start of the window.'}`,
      );
      this.#isAnswered = true;
      return;
    }
    const file = join(this.#folder!, 'second.heapsnapshot');
    writeHeapSnapshot(file);
    const retainers = await this.#ask({ file, newerThan: this.#newerThan });
    gathered.retainers = retainers.filter(({ location }) => location?.file.startsWith(OWN) !== true);
    this.#isAnswered = true;
  }

  release(): void {
    void this.#worker?.terminate();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
    if (!this.#isAnswered)
      this.#gathered?.warnings.push(`${NOT_LOOKED_FOR}: the second snapshot was not read.`);
  }

  async #ask(question: RetainersQuestion): Promise<readonly Retainer[]> {
    const file = new URL('../heap/retainers-worker.js', import.meta.url);
    const worker = ownWorker(file, 'sysopt-retainers', question);
    this.#worker = worker;
    return await new Promise((resolve, reject) => {
      worker.once('message', ({ retainers, error }: RetainersAnswer) =>
        retainers === undefined ? reject(new Error(error)) : resolve(retainers),
      );
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('its thread ended')));
      // After the listeners: the one for messages would keep the program alive again.
      if (!this.#keepAlive) worker.unref();
    });
  }
}

/** Why no snapshot can be taken now. */
function whyNot(): string | undefined {
  const { used_heap_size: used } = getHeapStatistics();
  const spare = process.availableMemory();
  const heap = `the heap has ${formatBytes(used)}, and a snapshot`;
  if (used > MAX_HEAP_BYTES)
    return `${heap} of more than ${formatBytes(MAX_HEAP_BYTES)} would stop the program for too long.`;
  if (used * MEMORY_PER_HEAP > spare)
    return `${heap} takes up to ${MEMORY_PER_HEAP} times as much memory, of which ${formatBytes(spare)} are to be had.`;
  return undefined;
}

function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(FOLDER)) continue;
    const folder = join(tmpdir(), name);
    try {
      if (Date.now() - statSync(folder).mtimeMs > ABANDONED_MS) rmSync(folder, { recursive: true });
    } catch {
      // Another user's, or removed meanwhile.
    }
  }
}

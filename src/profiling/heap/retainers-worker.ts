/** Reads two heap snapshots and answers what the objects hang on that only the second one has. */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Retainer } from '../../model/signals.js';
import { newestId, parseHeapSnapshot } from './heap-snapshot.js';
import { retainersOf } from './retainers.js';

export interface RetainersQuestion {
  /** Paths of the two files. */
  readonly first: string;
  readonly second: string;
}

export interface RetainersAnswer {
  readonly retainers?: readonly Retainer[];
  readonly error?: string;
}

function answer({ first, second }: RetainersQuestion): RetainersAnswer {
  try {
    const newerThan = newestId(readFileSync(first));
    return { retainers: retainersOf(parseHeapSnapshot(readFileSync(second)), newerThan) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort!.postMessage(answer(workerData as RetainersQuestion));

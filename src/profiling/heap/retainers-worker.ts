/** Reads a heap snapshot, removes it, and answers what the objects hang on that are newer than another one. */
import { readFileSync, rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Retainer } from '../../model/signals.js';
import { parseHeapSnapshot } from './heap-snapshot.js';
import { retainersOf } from './retainers.js';

export interface RetainersQuestion {
  readonly file: string;
  /** Newest id of the earlier snapshot. */
  readonly newerThan: number;
}

export interface RetainersAnswer {
  readonly retainers?: readonly Retainer[];
  readonly error?: string;
}

function answer({ file, newerThan }: RetainersQuestion): RetainersAnswer {
  try {
    const text = readFileSync(file);
    rmSync(file, { force: true });
    return { retainers: retainersOf(parseHeapSnapshot(text), newerThan) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort!.postMessage(answer(workerData as RetainersQuestion));

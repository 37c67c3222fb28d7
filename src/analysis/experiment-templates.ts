/**
 * Modules for experiments, one a cause: the function does its work as the program does it and without the cause. Each
 * runs as it stands, so that a user sees the experiment work before the placeholder data and work give way to the program's.
 */
import type { ExperimentCause } from '../model/experiment.js';

/** What stands in a module for a function whose name cannot be written as one. */
export const DEFAULT_EXPORT_NAME = 'experiment';

/**
 * @param name what the module exports: a valid name of a function.
 * @param of the program's own function, with its place, for a comment; undefined for a module about none.
 */
export function experimentTemplate(cause: ExperimentCause, name: string, of: string | undefined): string {
  // A path may hold what ends a comment's line.
  const about = of === undefined ? '' : `// Does the work of ${of.replace(/\s+/g, ' ')} both ways.\n`;
  return `${about}${TEMPLATES[cause](name)}`;
}

const TEMPLATES: Readonly<Record<ExperimentCause, (name: string) => string>> = {
  'cache-unfriendly-access': (
    name,
  ) => `// Called once a process with { order: 'as-is' } or { order: 'sequential' }; returns what is timed.
// Both must give the same result. Put your data (as large as in the service) and your loops in place of these.
export function ${name}({ order }) {
  const side = 2000;
  const table = new Float64Array(side * side).fill(1);
  if (order === 'sequential') {
    return () => {
      let sum = 0;
      for (let row = 0; row < side; row += 1)
        for (let column = 0; column < side; column += 1) sum += table[row * side + column];
      return sum;
    };
  }
  return () => {
    let sum = 0;
    for (let column = 0; column < side; column += 1)
      for (let row = 0; row < side; row += 1) sum += table[row * side + column];
    return sum;
  };
}
`,
  'false-sharing': (
    name,
  ) => `// Called once a process with { strideBytes: 8 } or { strideBytes: 128 }; returns what is timed.
// What each thread writes lies strideBytes from what the next one writes. Put your threads and their work in place of these.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const THREADS = 2;
const ROUNDS = 3_000_000;

export function ${name}({ strideBytes }) {
  const shared = new SharedArrayBuffer(128 + THREADS * strideBytes + 128);
  const workers = Array.from({ length: THREADS }, (_, index) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { shared, at: 128 + index * strideBytes },
    });
    worker.unref();
    return worker;
  });
  return async () => {
    const done = workers.map((worker) => new Promise((resolve) => worker.once('message', resolve)));
    for (const worker of workers) worker.postMessage('go');
    await Promise.all(done);
    return THREADS * ROUNDS;
  };
}

if (!isMainThread && workerData?.shared !== undefined) {
  const slot = new Int32Array(workerData.shared, workerData.at, 1);
  parentPort.on('message', () => {
    for (let i = 0; i < ROUNDS; i += 1) Atomics.add(slot, 0, 1);
    parentPort.postMessage('done');
  });
}
`,
  'lock-contention': (
    name,
  ) => `// Called once a process with { lock: 'as-is' } or { lock: 'other' }; returns what is timed.
// Here: one step under a lock for every value, against one for all of them. Put your lock and what it guards in place of
// the first, and the lock (or the split of what it guards) that you have in mind in place of the second.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const THREADS = 2;
const ROUNDS = 100_000;
const [LOCK, TOTAL] = [0, 1];

export function ${name}({ lock }) {
  const shared = new SharedArrayBuffer(256);
  const workers = Array.from({ length: THREADS }, () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { shared, lock } });
    worker.unref();
    return worker;
  });
  const cells = new Int32Array(shared);
  return async () => {
    cells[TOTAL] = 0;
    const done = workers.map((worker) => new Promise((resolve) => worker.once('message', resolve)));
    for (const worker of workers) worker.postMessage('go');
    await Promise.all(done);
    return cells[TOTAL];
  };
}

function withLock(cells, work) {
  while (Atomics.compareExchange(cells, LOCK, 0, 1) !== 0) Atomics.wait(cells, LOCK, 1, 5);
  work();
  Atomics.store(cells, LOCK, 0);
  Atomics.notify(cells, LOCK, 1);
}

if (!isMainThread && workerData?.shared !== undefined) {
  const cells = new Int32Array(workerData.shared);
  parentPort.on('message', () => {
    if (workerData.lock === 'as-is') {
      for (let i = 0; i < ROUNDS; i += 1) withLock(cells, () => (cells[TOTAL] += 1));
    } else {
      let own = 0;
      for (let i = 0; i < ROUNDS; i += 1) own += 1;
      withLock(cells, () => (cells[TOTAL] += own));
    }
    parentPort.postMessage('done');
  });
}
`,
};

/** Whether a template can export under it: no word of the language, nothing that a template itself uses. */
export function isExportName(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name) && !WORDS.test(name);
}

const WORDS =
  /^(arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|isMainThread|let|LOCK|new|null|package|parentPort|private|protected|public|return|ROUNDS|static|super|switch|this|THREADS|throw|TOTAL|true|try|typeof|var|void|while|with|withLock|Worker|workerData|yield)$/;

/** A template as it was stored with a recommendation, which exports `name`, with another name in its place. */
export function renamedTemplate(template: string, name: string, to: string): string {
  return template.replace(`export function ${name}(`, () => `export function ${to}(`);
}

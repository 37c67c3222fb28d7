/**
 * Opens and closes counters many times, in this thread and in workers that end with some open, and looks whether a
 * descriptor, a mapping or an id stays behind.
 *
 *   npm run verify:counters          10,000 cycles and 200 workers
 *   node test/verify/counters.js 500 20
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { openCounters } from '../../dist/counters/counter-group.js';

const OPEN_PER_WORKER = 5;
/** Counters' own descriptors alone: those of Node's threads come and go when they like. */
function linkOf(fd) {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // That of the listing itself.
  }
}
const held = () => ({
  descriptors: readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).includes('perf_event')).length,
  counterPages: readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('perf_event')).length,
});

if (!isMainThread) {
  globalThis.kept = Array.from({ length: OPEN_PER_WORKER }, () => openCounters(workerData));
} else if (process.platform !== 'linux') {
  console.log('Skipped: only Linux has these counters.');
} else {
  const [cycles, workers] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 200)];
  openCounters().close();
  const before = held();
  for (let i = 0; i < cycles; i += 1) {
    const counters = openCounters({ scope: i % 2 === 0 ? 'thread' : 'process' });
    if (i % 3 === 0) counters.snapshot();
    counters.close();
  }
  assert.deepEqual(held(), before, 'after opening and closing');

  const loaded = new Worker(new URL(import.meta.url), { workerData: {} });
  await new Promise((resolve) => loaded.once('exit', resolve));
  const beforeWorkers = held();
  for (let i = 0; i < workers; i += 1) {
    const worker = new Worker(new URL(import.meta.url), { workerData: {} });
    // Half of them end by themselves, half in the middle of what they do.
    if (i % 2 === 0)
      await new Promise((resolve) => worker.once('online', resolve)).then(() => worker.terminate());
    else await new Promise((resolve) => worker.once('exit', resolve));
  }
  const after = held();
  assert.deepEqual(after, beforeWorkers, 'after workers');
  console.log(`${cycles} cycles and ${workers} workers: ${JSON.stringify(after)}, as before.`);
}

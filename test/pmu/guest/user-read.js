/** Reading without the kernel: where it is allowed, that it agrees with the kernel, and that it stops when forbidden. */
import { writeFileSync } from 'node:fs';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { COUNTER_FLAGS } from '../dist/native/contract.js';
import { loadNative } from '../dist/native/load.js';
import { assert, spin, test, track } from './check.js';

const native = loadNative();
const CYCLES_AND_INSTRUCTIONS = Float64Array.of(
  0,
  0,
  0,
  COUNTER_FLAGS.mustCount,
  0,
  1,
  0,
  COUNTER_FLAGS.mustCount,
);
const ACCESS = '/proc/sys/kernel/perf_user_access';

if (!isMainThread) {
  // Many short-lived groups, with pages, in a thread that ends with some open.
  for (let i = 0; i < workerData; i += 1) {
    const { id } = native.countersOpen(CYCLES_AND_INSTRUCTIONS, false);
    if (i % 2 === 0) native.countersClose(id);
  }
} else {
  await test('the processor reads its counters itself, and agrees with the kernel', () => {
    const { id } = native.countersOpen(CYCLES_AND_INSTRUCTIONS, false);
    const read = (throughKernel) => {
      const out = new Float64Array(6);
      return {
        groups: native.countersRead(id, out, throughKernel),
        instructions: out[3],
        enabledNs: out[4],
        runningNs: out[5],
      };
    };
    // What the two readings and the JavaScript between them execute is the same each time once it is warm.
    const pairs = Array.from({ length: 200 }, () => {
      const [a, b, c] = [read(false), read(true), read(false)];
      assert.deepEqual([a.groups, b.groups, c.groups], [1, 0, 1]);
      assert.ok(
        a.instructions <= b.instructions && b.instructions <= c.instructions,
        'the readings are out of order',
      );
      assert.ok(a.enabledNs <= b.enabledNs && b.enabledNs <= c.enabledNs, 'the times are out of order');
      assert.ok(a.runningNs <= b.runningNs && b.runningNs <= c.runningNs);
      return c.instructions - a.instructions;
    });
    console.log(`        at most ${Math.min(...pairs)} instructions lie between readings on either side`);
    const [before] = [read(false)];
    spin(5_000_000);
    const after = read(true);
    assert.ok(Math.abs((after.instructions - before.instructions) / 10_000_000 - 1) < 0.001);
    native.countersClose(id);
  });

  await test('the same million iterations six times of six without the kernel', () => {
    const counters = track({ events: ['instructions', 'cycles'] });
    const count = (iterations) => counters.measure(() => spin(iterations)).counters.values.instructions.value;
    // V8 parses at the first call, and begins to take notes of types at the eighth.
    for (let i = 0; i < 50; i += 1) count(10);
    const counts = Array.from({ length: 6 }, () => count(1_000_000));
    console.log(`        ${counts.join(' ')}`);
    assert.equal(new Set(counts).size, 1);
  });

  await test('events that take turns are read through the kernel while they wait', () => {
    const crowd = Float64Array.from(
      Array.from({ length: 12 }, () => [4, 0x08, 0, COUNTER_FLAGS.mustCount]).flat(),
    );
    const { id, events } = native.countersOpen(crowd, false);
    const groups = Math.max(...events.map(({ group }) => group)) + 1;
    assert.ok(groups > 1);
    const out = new Float64Array(36);
    spin(100_000);
    assert.ok(native.countersRead(id, out) < groups);
    assert.ok(out.every(Number.isFinite));
    native.countersClose(id);
  });

  await test('is not used by a thread that did not open the counters, nor with threads to come', () => {
    const { id } = native.countersOpen(CYCLES_AND_INSTRUCTIONS, true);
    assert.equal(native.countersRead(id, new Float64Array(6)), 0);
    native.countersClose(id);
  });

  await test('goes back to the kernel as soon as the permission is taken away', () => {
    const { id } = native.countersOpen(CYCLES_AND_INSTRUCTIONS, false);
    const out = new Float64Array(6);
    assert.equal(native.countersRead(id, out), 1);
    writeFileSync(ACCESS, '0');
    try {
      const groups = Array.from({ length: 50 }, () => native.countersRead(id, out));
      assert.equal(groups.at(-1), 0);
      assert.ok(out[3] > 0);
    } finally {
      writeFileSync(ACCESS, '1');
    }
    native.countersClose(id);
  });

  await test('pages and descriptors are gone after close() and the end of a worker', async () => {
    const { readFileSync, readdirSync } = await import('node:fs');
    const held = () => [
      readFileSync('/proc/self/maps', 'utf8')
        .split('\n')
        .filter((line) => line.includes('perf_event')).length,
      readdirSync('/proc/self/fd').length,
    ];
    const before = held();
    for (let i = 0; i < 200; i += 1) track({ events: ['cycles', 'instructions', 'taskClock'] }).close();
    assert.deepEqual(held(), before);
    const worker = new Worker(new URL(import.meta.url), { workerData: 20 });
    await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(held()[0], before[0]);
  });
}

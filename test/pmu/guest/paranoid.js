/** As a normal user: `node paranoid.js LEVEL`, the level of perf_event_paranoid. */
import { loadNative } from '../dist/native/load.js';
import { assert, assertHonest, spin, test, track } from './check.js';

const level = process.argv[2];
const native = loadNative();
const { counters: counted } = track({ kernel: true }).measure(() => spin(1_000_000));

if (level === '2') {
  await test('level 2: what happens outside the kernel counts, what happens in it is not permitted', () => {
    assertHonest(counted, ['taskClock', 'instructions', 'cycles']);
    assert.equal(counted.values.instructions.excludesKernel, true);
    assert.equal(counted.values.contextSwitches.reason, 'NOT_PERMITTED');
    assert.equal(counted.values.cacheMisses.reason, 'EVENT_NOT_PROVIDED');
    assert.equal(counted.derived.frequency.reason, 'KERNEL_EXCLUDED');
  });
} else {
  await test('level 3: nothing is permitted, every event says so with the level, and the rest works', () => {
    assertHonest(counted, []);
    for (const [name, value] of Object.entries(counted.values)) {
      assert.equal(value.reason, 'NOT_PERMITTED', name);
      assert.match(value.message, /perf_event_paranoid is 3/);
    }
    const { hardwareCounters, threadClock, threadStatistics, cgroup } = native.capabilities();
    assert.equal(hardwareCounters.reason, 'NOT_PERMITTED');
    assert.ok(threadClock.available && threadStatistics.available && cgroup.available);
    assert.ok(native.threadCpuTimeNs() > 0);
  });
}

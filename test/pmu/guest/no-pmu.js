/** A machine without a performance monitoring unit, as root: one reason for every hardware event, software live. */
import { COUNTER_EVENTS } from '../dist/counters/events.js';
import { loadNative } from '../dist/native/load.js';
import { assert, assertHonest, test, track } from './check.js';

await test('every hardware event says that there is no unit, and every software event counts', () => {
  const counters = track();
  const { counters: counted } = counters.measure(() => Array.from({ length: 100_000 }, Math.sqrt).length);
  assertHonest(counted, ['taskClock', 'cpuClock']);
  for (const [name, { kind }] of Object.entries(COUNTER_EVENTS)) {
    if (kind === 'hardware') assert.equal(counted.values[name].reason, 'NO_PMU', name);
    else assert.ok(counted.values[name].available, `${name}: ${JSON.stringify(counted.values[name])}`);
  }
  assert.equal(counted.derived.instructionsPerCycle.reason, 'NO_PMU');
  assert.ok(counted.derived.cpuUtilization.available);
});

await test('the capability says the same', () => {
  const { hardwareCounters, softwareCounters } = loadNative().capabilities();
  assert.equal(hardwareCounters.reason, 'NO_PMU');
  assert.ok(softwareCounters.available);
});

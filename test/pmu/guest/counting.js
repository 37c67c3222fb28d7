/** As root: exact counts, missing events, and more events than counters. */
import { listCounterAliases } from '../dist/counters/sysfs-events.js';
import { loadNative } from '../dist/native/load.js';
import { assert, assertHonest, spin, test, track } from './check.js';

const native = loadNative();
/** PMUv3's numbers: INST_RETIRED and CPU_CYCLES. */
const [RAW, INSTRUCTIONS, CYCLES] = [4, 0x08, 0x11];
const ITERATIONS = 1_000_000;

await test('the addon is loaded', () => assert.equal(native.implementation, 'addon'));

await test('a loop of a million iterations counts the same instructions six times of six', () => {
  const counters = track({ events: ['instructions', 'cycles'] });
  const count = (iterations) => {
    const { values } = counters.measure(() => spin(iterations)).counters;
    assert.ok(values.instructions.exact && values.cycles.exact);
    return values.instructions.value;
  };
  // V8 parses at the first call, and begins to take notes of types at the eighth.
  for (let i = 0; i < 50; i += 1) count(10);
  const counts = Array.from({ length: 6 }, () => count(ITERATIONS));
  console.log(`        ${counts.join(' ')}`);
  assert.equal(new Set(counts).size, 1);
  assert.ok(counts[0] >= 2 * ITERATIONS && counts[0] < 2 * ITERATIONS * 1.01);
});

await test('instructions per cycle are those of the emulator: 1', () => {
  const counters = track({ events: ['instructions', 'cycles'] });
  const { derived } = counters.measure(() => spin(10 * ITERATIONS)).counters;
  assert.ok(Math.abs(derived.instructionsPerCycle.value - 1) < 0.001, JSON.stringify(derived));
});

await test('with the kernel part, cycles over CPU time are the emulator’s frequency: 1 GHz', () => {
  const counters = track({ events: ['taskClock', 'cycles'], kernel: true });
  const { values, derived } = counters.measure(() => spin(10 * ITERATIONS)).counters;
  assert.equal(values.cycles.excludesKernel, false);
  // Cycles are virtual time there, which passes without instructions while the kernel waits.
  assert.ok(Math.abs(derived.frequency.value - 1000) < 10, JSON.stringify(derived.frequency));
  assert.ok(derived.cpuUtilization.value > 0.5 && derived.cpuUtilization.value < 1.05);
});

await test('events that this processor lacks say so, and everything else counts', () => {
  const counters = track();
  const { counters: counted } = counters.measure(() => spin(ITERATIONS));
  assertHonest(counted, ['taskClock', 'instructions', 'cycles']);
  const { cacheMisses, dtlbLoadMisses, contextSwitches } = counted.values;
  assert.equal(cacheMisses.reason, 'EVENT_NOT_PROVIDED');
  assert.equal(dtlbLoadMisses.reason, 'EVENT_NOT_PROVIDED');
  assert.ok(contextSwitches.available);
  assert.equal(counted.derived.cacheMissesPerKiloInstruction.reason, 'EVENT_NOT_PROVIDED');
});

await test('a missing event alone is told from a missing unit', () => {
  const counters = track({ events: ['cacheMisses'] });
  assert.equal(counters.snapshot().values.cacheMisses.reason, 'EVENT_NOT_PROVIDED');
});

await test('the kernel’s own names count too', () => {
  const aliases = listCounterAliases().filter(({ name }) => name.endsWith('/inst_retired/'));
  assert.equal(aliases.length, 1, JSON.stringify(listCounterAliases().map(({ name }) => name)));
  const { name } = aliases[0];
  const counters = track({ events: ['instructions', name, 'no_unit/inst_retired/'] });
  const { values } = counters.measure(() => spin(ITERATIONS)).counters;
  assert.equal(values[name].value, values.instructions.value);
  assert.equal(values['no_unit/inst_retired/'].reason, 'EVENT_NOT_PROVIDED');
});

await test('twelve events on seven counters scale within 0.1 %', () => {
  const events = Array.from({ length: 12 }, (_, i) => ({
    name: i === 0 ? 'c0' : `i${i}`,
    type: RAW,
    config: i === 0 ? CYCLES : INSTRUCTIONS,
  }));
  const exact = track({ events: ['taskClock'] });
  const counters = track({ events });
  // Twenty turns of the kernel's rotation and more.
  const iterations = 400 * ITERATIONS;
  const { values } = counters.measure(() => spin(iterations)).counters;
  const counts = Object.values(values);
  assert.ok(
    counts.every((value) => value.available),
    JSON.stringify(values),
  );
  assert.ok(
    counts.some(({ exact: whole }) => !whole),
    'nothing was multiplexed',
  );
  const errors = counts.map(({ value }) => Math.abs(value / (2 * iterations) - 1));
  console.log(
    `        factors ${counts.map(({ scaleFactor }) => scaleFactor.toFixed(3)).join(' ')}; largest error ${(Math.max(...errors) * 100).toFixed(4)} %`,
  );
  assert.ok(Math.max(...errors) < 0.001);
  assert.ok(exact.snapshot().values.taskClock.value > 0);
});

await test('cycles and instructions share a group when others crowd them', () => {
  const crowd = Array.from({ length: 9 }, (_, i) => ({ name: `i${i}`, type: RAW, config: INSTRUCTIONS }));
  const counters = track({ events: [...crowd, 'instructions', 'cycles'] });
  const { values, derived } = counters.measure(() => spin(100 * ITERATIONS)).counters;
  assert.equal(values.instructions.scaleFactor, values.cycles.scaleFactor);
  assert.ok(
    Math.abs(derived.instructionsPerCycle.value - 1) < 0.001,
    JSON.stringify(derived.instructionsPerCycle),
  );
});

import { describe, expect, it } from 'vitest';
import { IMPLEMENTATIONS } from './implementations.js';

const TASK_CLOCK = [1, 1];
const MINOR_FAULTS = [1, 5];
const NONSENSE = [1, 4711];

describe.each(IMPLEMENTATIONS)('counters of the %s', (_name, native) => {
  const available = native.capabilities().softwareCounters.available;
  const open = (events: number[], inherit = false) => native.countersOpen(Float64Array.from(events), inherit);

  it.each([false, true])('answer for each event in order (inherit: %s)', (inherit) => {
    const grant = open([...NONSENSE, ...TASK_CLOCK, ...MINOR_FAULTS], inherit);
    const out = new Float64Array(10).fill(-1);
    native.countersRead(grant.id, out);
    expect(grant.events).toHaveLength(3);
    expect(grant.events[0]).toMatchObject({ errno: expect.any(Number), code: expect.stringMatching(/^E/) });
    expect(grant.events[0]!.errno).toBeGreaterThan(0);
    expect([...out.subarray(0, 3)]).toEqual([NaN, NaN, NaN]);
    expect(grant.events[1]).toMatchObject(available ? { errno: 0, code: '' } : { code: 'ENOSYS' });
    expect(out[3]! > 0).toBe(available);
    expect(out[4]! > 0).toBe(available);
    expect(out[9]).toBe(-1);
    expect(native.countersClose(grant.id)).toBe(true);
  });

  it.runIf(available)('grow with work', () => {
    const { id } = open(TASK_CLOCK);
    const [before, after] = [new Float64Array(3), new Float64Array(3)];
    native.countersRead(id, before);
    let sum = 0;
    for (let i = 0; i < 1e7; i++) sum += i % 3;
    native.countersRead(id, after);
    native.countersClose(id);
    expect(sum).toBeGreaterThan(0);
    expect(after[0]! - before[0]!).toBeGreaterThan(1e5);
    expect(after[2]).toBeLessThanOrEqual(after[1]!);
  });

  it('close once, and cannot be read afterwards', () => {
    const { id } = open(TASK_CLOCK);
    expect(native.countersClose(id)).toBe(true);
    expect(native.countersClose(id)).toBe(false);
    expect(native.countersClose(NaN)).toBe(false);
    expect(() => native.countersRead(id, new Float64Array(3))).toThrow(RangeError);
  });

  it.each([
    ['an odd number of figures', new Float64Array(3)],
    ['no events', new Float64Array(0)],
    ['too many events', new Float64Array(2 * 65)],
    ['a negative type', Float64Array.of(-1, 0)],
    ['a type beyond 32 bits', Float64Array.of(2 ** 32, 0)],
    ['a fraction', Float64Array.of(1, 0.5)],
    ['NaN', Float64Array.of(NaN, 0)],
    ['Infinity', Float64Array.of(1, Infinity)],
    ['a configuration that a number cannot hold exactly', Float64Array.of(1, 2 ** 53)],
  ])('refuse %s', (_what, events) => {
    expect(() => native.countersOpen(events, false)).toThrow(RangeError);
  });

  it('refuse wrong types and arrays that are too short', () => {
    const { id } = open([...TASK_CLOCK, ...MINOR_FAULTS]);
    expect(() => native.countersOpen([1, 1] as any, false)).toThrow(TypeError);
    expect(() => native.countersOpen(new Float64Array(2), 1 as any)).toThrow(TypeError);
    expect(() => native.countersRead(id, new Float64Array(5))).toThrow(RangeError);
    expect(() => native.countersRead('1' as any, new Float64Array(6))).toThrow(TypeError);
    expect(native.countersClose(id)).toBe(true);
  });
});

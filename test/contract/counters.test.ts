import { describe, expect, it } from 'vitest';
import { COUNTER_FLAGS } from '../../dist/native/contract.js';
import { IMPLEMENTATIONS } from './implementations.js';

const TASK_CLOCK = [1, 1, 0, COUNTER_FLAGS.mustCount];
const MINOR_FAULTS = [1, 5, 0, 0];
const NONSENSE = [1, 4711, 0, 0];

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
    ['a part of an event', new Float64Array(3)],
    ['no events', new Float64Array(0)],
    ['too many events', new Float64Array(4 * 65)],
    ['a negative type', Float64Array.of(-1, 0, 0, 0)],
    ['a type beyond 32 bits', Float64Array.of(2 ** 32, 0, 0, 0)],
    ['a fraction', Float64Array.of(1, 0.5, 0, 0)],
    ['NaN', Float64Array.of(NaN, 0, 0, 0)],
    ['Infinity', Float64Array.of(1, Infinity, 0, 0)],
    ['a configuration that a number cannot hold exactly', Float64Array.of(1, 2 ** 53, 0, 0)],
    ['a second one', Float64Array.of(1, 1, 2 ** 53, 0)],
    ['unknown flags', Float64Array.of(1, 1, 0, 4)],
  ])('refuse %s', (_what, events) => {
    expect(() => native.countersOpen(events, false)).toThrow(RangeError);
  });

  it('refuse wrong types and arrays that are too short', () => {
    const { id } = open([...TASK_CLOCK, ...MINOR_FAULTS]);
    expect(() => native.countersOpen([1, 1] as any, false)).toThrow(TypeError);
    expect(() => native.countersOpen(new Float64Array(4), 1 as any)).toThrow(TypeError);
    expect(() => native.countersRead(id, new Float64Array(5))).toThrow(RangeError);
    expect(() => native.countersRead('1' as any, new Float64Array(6))).toThrow(TypeError);
    expect(native.countersClose(id)).toBe(true);
  });

  it('fill a bound array, which must be shared', () => {
    const { id } = open([...NONSENSE, ...TASK_CLOCK]);
    const bound = new Float64Array(new SharedArrayBuffer(7 * 8)).fill(-1);
    expect(() => native.countersReadBound(id)).toThrow(RangeError);
    expect(() => native.countersBind(id, new Float64Array(7))).toThrow(TypeError);
    expect(() => native.countersBind(id, bound.subarray(1))).toThrow(RangeError);
    native.countersBind(id, bound);
    native.countersReadBound(id);
    expect([...bound.subarray(0, 3)]).toEqual([NaN, NaN, NaN]);
    const [first, time] = [bound[3]!, bound[6]!];
    native.countersReadBound(id);
    expect(bound[3]! > first).toBe(available);
    expect(bound[6]!).toBeGreaterThan(time);
    expect(() => native.countersReadBound('1' as any)).toThrow(TypeError);
    expect(native.countersClose(id)).toBe(true);
    expect(() => native.countersReadBound(id)).toThrow(RangeError);
  });

  it.runIf(available)('say which events are counted together', () => {
    const grant = open([...TASK_CLOCK, ...NONSENSE, ...MINOR_FAULTS]);
    expect(grant.events.map(({ group }) => group)).toEqual([0, -1, 0]);
    expect(native.countersRead(grant.id, new Float64Array(9), true)).toBe(0);
    native.countersClose(grant.id);
  });

  it.runIf(available)('count another thread of the process', () => {
    const rows = new Float64Array(5 * 64);
    const count = native.readThreads(rows);
    const own = native.currentThreadId();
    const other = Array.from({ length: count }, (_, i) => rows[5 * i]!).find((tid) => tid !== own)!;
    const grant = native.countersOpen(Float64Array.from(TASK_CLOCK), false, other);
    expect(grant.events[0]).toMatchObject({ errno: 0 });
    native.countersClose(grant.id);
    const gone = native.countersOpen(Float64Array.from(TASK_CLOCK), false, 2 ** 31 - 1);
    expect(gone.events[0]).toMatchObject({ code: 'ESRCH' });
    native.countersClose(gone.id);
    expect(() => native.countersOpen(Float64Array.from(TASK_CLOCK), false, -1)).toThrow(RangeError);
  });
});

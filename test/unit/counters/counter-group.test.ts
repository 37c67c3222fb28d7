import { describe, expect, it } from 'vitest';
import { openCounters, openCountersWith } from '../../../dist/counters/counter-group.js';
import { ALL_COUNTER_EVENTS, COUNTER_EVENTS } from '../../../dist/counters/events.js';
import type { NativeContract } from '../../../dist/native/contract.js';
import { createFallback } from '../../../dist/native/fallback.js';

interface Script {
  /** Error name by `type:config`, or the increment per reading. */
  readonly [event: string]: string | number;
}

/** A native part whose counters follow a script: `'1:3'` is context switches. */
function scripted(script: Script, excludesKernel = false) {
  const open = new Map<number, { events: string[]; reads: number; inherit: boolean }>();
  let nextId = 1;
  const native = {
    implementation: 'addon',
    countersOpen(pairs: Float64Array, inherit: boolean) {
      const events = Array.from({ length: pairs.length / 2 }, (_, i) =>
        pairs.subarray(2 * i, 2 * i + 2).join(':'),
      );
      open.set(nextId, { events, reads: 0, inherit });
      const grant = (event: string) => {
        const code = typeof script[event] === 'number' ? '' : (script[event] ?? 'ENOENT');
        return { errno: code === '' ? 0 : 2, code, excludesKernel };
      };
      return { id: nextId++, events: events.map(grant) };
    },
    countersRead(id: number, out: Float64Array) {
      const group = open.get(id)!;
      group.reads += 1;
      group.events.forEach((event, i) => {
        const step = script[event];
        const figures = typeof step === 'number' ? [step, 1000, 1000] : [NaN, NaN, NaN];
        out.set(
          figures.map((figure) => figure * group.reads),
          3 * i,
        );
      });
    },
    countersClose: (id: number) => open.delete(id),
  } as unknown as NativeContract;
  return { native, open };
}

describe('a counter group', () => {
  it('measures the difference between two readings', () => {
    const { native } = scripted({ '1:1': 500, '1:3': 2 });
    const group = openCountersWith(native, { events: ['taskClock', 'contextSwitches'] });
    const { result, counters } = group.measure(() => 'done');
    expect(result).toBe('done');
    expect(counters.values).toMatchObject({
      taskClock: { value: 500, exact: true },
      contextSwitches: { value: 2 },
    });
    expect(counters.elapsedMs).toBeGreaterThanOrEqual(0);
    group.read();
    expect(group.snapshot().values.taskClock).toMatchObject({ value: 4 * 500 });
    group.close();
  });

  it('measures until a promise settles', async () => {
    const { native } = scripted({ '1:1': 500 });
    const group = openCountersWith(native, { events: ['taskClock'] });
    const { result, counters } = await group.measureAsync(async () => 7);
    expect([result, counters.values.taskClock]).toMatchObject([7, { value: 500 }]);
    await expect(group.measureAsync(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    group.close();
  });

  it('lets errors of the measured function through and stays usable', () => {
    const { native } = scripted({ '1:1': 500 });
    const group = openCountersWith(native, { events: ['taskClock'] });
    expect(() =>
      group.measure(() => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(group.measure(() => 1).counters.values.taskClock).toMatchObject({ value: 500 });
    group.close();
  });

  it('is closed once, by hand or by using', () => {
    const { native, open } = scripted({ '1:1': 500 });
    const group = openCountersWith(native, { events: ['taskClock'] });
    expect(open.size).toBe(1);
    group[Symbol.dispose]();
    group.close();
    expect(open.size).toBe(0);
    for (const use of [() => group.read(), () => group.snapshot(), () => group.measure(() => 1)]) {
      expect(use).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    }
  });

  it('asks for the threads to come in the scope of the process', () => {
    const { native, open } = scripted({ '1:1': 500 });
    openCountersWith(native, { events: ['taskClock'], scope: 'process' });
    openCountersWith(native, { events: ['taskClock'] });
    expect([...open.values()].map(({ inherit }) => inherit)).toEqual([true, false]);
  });

  it('never takes context switches as 0 where the kernel is left out', () => {
    const { native } = scripted({ '1:1': 500, '1:3': 0 }, true);
    const { values } = openCountersWith(native, { events: ['taskClock', 'contextSwitches'] }).snapshot();
    expect(values.contextSwitches).toMatchObject({ available: false, reason: 'NOT_PERMITTED' });
    expect(values.taskClock).toMatchObject({ available: true, excludesKernel: true });
  });

  it.runIf(process.platform === 'linux').each([
    ['EACCES', 'NOT_PERMITTED'],
    ['EPERM', 'FILTERED'],
    ['ENOSYS', 'FILTERED'],
    ['ENOENT', 'NO_PMU'],
    ['EMFILE', 'NO_RESOURCES'],
    ['EBUSY', 'NOT_SCHEDULED'],
    ['EINVAL', 'EVENT_NOT_PROVIDED'],
  ])('explains %s as %s', (code, reason) => {
    const { native } = scripted({ '0:0': code });
    const { values, derived } = openCountersWith(native, { events: ['cycles', 'instructions'] }).snapshot();
    expect(values.cycles).toMatchObject({ available: false, reason });
    expect(derived.instructionsPerCycle.available).toBe(false);
  });

  it.runIf(process.platform === 'linux')('tells a missing event from a missing unit', () => {
    const { native, open } = scripted({ '0:1': 100, '0:2': 'ENOENT' });
    const group = openCountersWith(native, { events: ['instructions', 'cacheReferences'] });
    expect(group.snapshot().values).toMatchObject({
      instructions: { available: true },
      cacheReferences: { available: false, reason: 'EVENT_NOT_PROVIDED' },
    });
    group.close();
    expect(open.size).toBe(0);
  });

  it('finds hardware counters out that open and never move', () => {
    const { native, open } = scripted({ '0:0': 0, '0:1': 0, '0:3': 0, '0:4': 0, '1:1': 500 });
    const group = openCountersWith(native, { events: ['cacheMisses', 'taskClock'] });
    expect(group.snapshot().values).toMatchObject({
      cacheMisses: { available: false, reason: 'NOT_COUNTING' },
      taskClock: { available: true },
    });
    group.close();
    expect(open.size).toBe(0);
  });

  it.each([
    [{ events: [] }],
    [{ events: ['cycle'] }],
    [{ events: ['cycles', 'cycles'] }],
    [{ events: 'cycles' }],
    [{ events: [undefined] }],
    [{ events: ['toString'] }],
    [{ scope: 'cpu' }],
  ])('refuses %j', (options) => {
    const { native, open } = scripted({});
    expect(() => openCountersWith(native, options as any)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(open.size).toBe(0);
  });

  it('says that the addon is missing on the fallback', () => {
    const group = openCountersWith(createFallback('for a test'));
    for (const value of Object.values(group.snapshot().values)) {
      expect(value).toMatchObject({ available: false, reason: 'NO_ADDON' });
    }
    group.close();
  });

  it('works on this host, every event with a value or a reason', () => {
    const group = openCounters();
    const { counters } = group.measure(() => Array.from({ length: 100_000 }, Math.sqrt).length);
    expect(Object.keys(counters.values)).toEqual([...ALL_COUNTER_EVENTS]);
    for (const value of Object.values(counters.values)) {
      if (value.available) expect(Number.isFinite(value.value)).toBe(true);
      else expect(value.remedy.length).toBeGreaterThan(0);
    }
    group.close();
  });
});

describe('the event catalogue', () => {
  it('has no event twice', () => {
    const ids = Object.values(COUNTER_EVENTS).map(({ type, config }) => `${type}:${config}`);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

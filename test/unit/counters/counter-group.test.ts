import { describe, expect, it } from 'vitest';
import { openCounters, openCountersWith } from '../../../dist/counters/counter-group.js';
import { ALL_COUNTER_EVENTS, COUNTER_EVENTS } from '../../../dist/counters/events.js';
import { COUNTER_FLAGS, type NativeContract } from '../../../dist/native/contract.js';
import { createFallback } from '../../../dist/native/fallback.js';

interface Script {
  /** Error name by `type:config`, or the increment per reading. */
  readonly [event: string]: string | number;
}

/** A native part whose counters follow a script: `'1:3'` is context switches. */
function scripted(script: Script, excludesKernel = false) {
  interface Open {
    readonly events: string[];
    readonly inherit: boolean;
    reads: number;
    bound?: Float64Array;
  }
  const open = new Map<number, Open>();
  let nextId = 1;
  const native = {
    implementation: 'addon',
    countersOpen(rows: Float64Array, inherit: boolean) {
      const events = Array.from({ length: rows.length / 4 }, (_, i) =>
        rows.subarray(4 * i, 4 * i + 2).join(':'),
      );
      open.set(nextId, { events, reads: 0, inherit });
      const grant = (event: string) => {
        const code = typeof script[event] === 'number' ? '' : (script[event] ?? 'ENOENT');
        return { errno: code === '' ? 0 : 2, code, excludesKernel, group: code === '' ? 0 : -1 };
      };
      return { id: nextId++, events: events.map(grant) };
    },
    countersBind(id: number, out: Float64Array) {
      open.get(id)!.bound = out;
    },
    countersReadBound(id: number) {
      const group = open.get(id)!;
      group.reads += 1;
      group.events.forEach((event, i) => {
        const step = script[event];
        const figures = typeof step === 'number' ? [step, 1000, 1000] : [NaN, NaN, NaN];
        group.bound!.set(
          figures.map((figure) => figure * group.reads),
          3 * i,
        );
      });
      group.bound![3 * group.events.length] = group.reads * 1e6;
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
    expect(counters.elapsedMs).toBe(1);
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

  it('refuses to measure what goes on after it returned', () => {
    const { native } = scripted({ '1:1': 500 });
    const group = openCountersWith(native, { events: ['taskClock'] });
    expect(() => group.measure(() => Promise.reject(new Error('nobody listens')))).toThrow('measureAsync');
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

  it.runIf(process.platform === 'linux')('tells them apart also where no other event was asked for', () => {
    const { native, open } = scripted({ '0:1': 100, '0:2': 'ENOENT' });
    const group = openCountersWith(native, { events: ['cacheReferences'] });
    expect(group.snapshot().values.cacheReferences).toMatchObject({ reason: 'EVENT_NOT_PROVIDED' });
    group.close();
    expect(open.size).toBe(0);
  });

  it('finds an event out that stops to count', () => {
    const { native } = scripted({ '0:0': 0, '0:3': 0 });
    const group = openCountersWith(native, { events: ['cycles', 'cacheMisses'] });
    expect(group.measure(() => 1).counters.values).toMatchObject({
      cycles: { available: false, reason: 'NOT_COUNTING' },
      cacheMisses: { available: true, value: 0 },
    });
    group.close();
  });

  it('takes raw events and refuses aliases that this machine has not', () => {
    const { native } = scripted({ '4:17': 8 });
    const group = openCountersWith(native, {
      events: [{ name: 'mine', type: 4, config: 17 }, 'no-such-unit/misses/'],
    });
    const { values } = group.measure(() => 1).counters;
    expect(values['mine']).toMatchObject({ available: true, value: 8 });
    expect(values['no-such-unit/misses/']).toMatchObject({ available: false, reason: 'EVENT_NOT_PROVIDED' });
    expect(group.events).toEqual(['mine', 'no-such-unit/misses/']);
    group.close();
  });

  it('asks for the kernel part where the caller does', () => {
    const flags: number[] = [];
    const { native } = scripted({ '0:0': 1 });
    const spy = {
      ...native,
      countersOpen: (rows: Float64Array, inherit: boolean) => (
        flags.push(rows[3]!),
        native.countersOpen(rows, inherit)
      ),
    };
    openCountersWith(spy, { events: ['cycles'], kernel: true }).close();
    openCountersWith(spy, { events: ['cycles'] }).close();
    expect(flags).toEqual([COUNTER_FLAGS.mustCount + COUNTER_FLAGS.includeKernel, COUNTER_FLAGS.mustCount]);
  });

  it('survives JSON with its derived figures', () => {
    const { native } = scripted({ '0:0': 100, '0:1': 250 });
    const group = openCountersWith(native, { events: ['cycles', 'instructions'] });
    const { counters } = group.measure(() => 1);
    expect(JSON.parse(JSON.stringify(counters))).toMatchObject({
      values: { cycles: { value: 100 } },
      derived: { instructionsPerCycle: { value: 2.5 } },
    });
    group.close();
  });

  it.each([
    [{ events: [] }],
    [{ events: ['cycle'] }],
    [{ events: ['cycles', 'cycles'] }],
    [{ events: 'cycles' }],
    [{ events: [undefined] }],
    [{ events: ['toString'] }],
    [{ scope: 'cpu' }],
    [{ event: ['cycles'] }],
    [5],
    [null],
    [{ kernel: 'yes' }],
    [{ events: ['cpu//'] }],
    [{ events: [{ name: 'x', type: 4 }] }],
    [{ events: [{ name: 'x', type: -1, config: 0 }] }],
    [{ events: [{ name: 'x', type: 4, config: 2 ** 53 }] }],
    [{ events: [{ name: 'cycles', type: 4, config: 0 }] }],
    [
      {
        events: [
          { name: 'x', type: 4, config: 0 },
          { name: 'x', type: 4, config: 1 },
        ],
      },
    ],
  ])('refuses %j', (options) => {
    const { native, open } = scripted({});
    expect(() => openCountersWith(native, options as any)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(open.size).toBe(0);
  });

  it('says which event is unknown, and which is named twice', () => {
    const { native } = scripted({});
    expect(() => openCountersWith(native, { events: ['cycle' as never] })).toThrow(
      /events is an array with "cycle"\./,
    );
    expect(() => openCountersWith(native, { events: ['cycles', 'cycles'] })).toThrow(
      /events is an array with "cycles" twice\./,
    );
    expect(() => openCountersWith(native, { events: [] })).toThrow(/events is an array of 0\./);
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
      if (value?.available) expect(Number.isFinite(value.value)).toBe(true);
      else expect(value?.remedy).toMatch(/./);
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

import { describe, expect, it } from 'vitest';
import { measured } from '../../../dist/model/metric.js';
import { METRIC_CATALOGUE } from '../../../dist/model/metric-catalogue.js';
import { gatherSignals } from '../../../dist/profiling/session.js';

const busyFor = (ms: number) => {
  const end = performance.now() + ms;
  let sum = 0;
  while (performance.now() < end) sum += Math.sqrt(sum + 1);
  return sum;
};

describe('arguments', () => {
  it.each([0, -5, Number.NaN, Infinity, 600_001, 3_600_000, '100', undefined])(
    'refuses a duration of %s',
    async (durationMs) => {
      await expect(gatherSignals('cpu', { durationMs: durationMs as number })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    },
  );
  it.each([
    ['samplingIntervalUs', 0],
    ['samplingIntervalUs', Number.NaN],
    ['maxFunctions', 0],
    ['maxFunctions', 1e9],
  ])('refuses %s of %s', async (key, value) => {
    await expect(gatherSignals('cpu', { durationMs: 50, [key]: value })).rejects.toThrow(key);
  });
  it('refuses to look for retainers where nothing else looks at what is kept', async () => {
    await expect(gatherSignals('cpu', { durationMs: 50, retainers: true })).rejects.toThrow(
      /retainers.*memory/s,
    );
  });
  it('refuses a type that does not exist', async () => {
    await expect(gatherSignals('disk' as 'cpu', { durationMs: 50 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('a run', () => {
  it.each(['cpu', 'memory', 'io', 'network', 'thread'] as const)(
    'of type %s gives every figure as a number or as a reason',
    async (type) => {
      const run = gatherSignals(type, { durationMs: 400 });
      busyFor(100);
      const signals = await run;
      expect(signals.type).toBe(type);
      expect(signals.durationMs).toBeGreaterThan(398); // Timers may fire a millisecond early.
      expect(signals.warnings.filter((warning) => warning.includes('left out'))).toEqual([]);
      for (const [name, metric] of Object.entries(signals.metrics)) {
        expect(METRIC_CATALOGUE).toHaveProperty([name]);
        if (metric.available) expect(metric.value, name).not.toBeNaN();
        else expect(metric.remedy, name).not.toBe('');
      }
      expect(signals.functions.length).toBeGreaterThan(0);
      expect(signals.callTree).not.toBeNull();
      expect(JSON.parse(JSON.stringify(signals))).toEqual(signals);
    },
  );

  it('sees the function that is busy', async () => {
    const run = gatherSignals('cpu', { durationMs: 300 });
    busyFor(150);
    const { functions } = await run;
    expect(functions.slice(0, 3).map(({ location }) => location.function)).toContain('busyFor');
  });

  it('keeps V8’s own profile only where it is asked for', async () => {
    const { rawProfile } = await gatherSignals('cpu', { durationMs: 60, rawProfile: true });
    expect(rawProfile).toMatchObject({
      nodes: expect.any(Array),
      samples: expect.any(Array),
      timeDeltas: expect.any(Array),
    });
    expect(await gatherSignals('cpu', { durationMs: 60 })).not.toHaveProperty('rawProfile');
  });

  it('refuses a second one beside it, and allows one after it', async () => {
    const first = gatherSignals('cpu', { durationMs: 100 });
    await expect(gatherSignals('cpu', { durationMs: 100 })).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
    await first;
    await expect(gatherSignals('cpu', { durationMs: 30 })).resolves.toBeDefined();
  });

  it('ends with the caller’s signal and leaves nothing behind', async () => {
    const controller = new AbortController();
    const run = gatherSignals('memory', { durationMs: 60_000, signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(gatherSignals('cpu', { durationMs: 30, signal: AbortSignal.abort() })).rejects.toMatchObject(
      { code: 'ABORTED' },
    );
    await expect(gatherSignals('cpu', { durationMs: 30 })).resolves.toBeDefined();
  });
});

describe('custom samplers', () => {
  it('add metrics and time line values of their own', async () => {
    let depth = 0;
    const sampler = {
      name: 'queue depth',
      start() {},
      tick(values: Record<string, number>) {
        values['app.queue.depth'] = ++depth;
      },
      stop(gathered: { metrics: Record<string, unknown> }) {
        gathered.metrics['app.queue.depth'] = measured(depth, 'count');
      },
    };
    const { metrics, timeline } = await gatherSignals('cpu', { durationMs: 350, samplers: [sampler] });
    expect(metrics['app.queue.depth']).toEqual({ available: true, value: depth, unit: 'count' });
    expect(timeline.some(({ values }) => values['app.queue.depth'] === 1)).toBe(true);
  });

  it('are waited for, for their late answers, two seconds and no longer', async () => {
    const began = performance.now();
    const late = () => new Promise<void>(() => {});
    const signals = await gatherSignals('cpu', {
      durationMs: 50,
      samplers: [{ name: 'silent', start() {}, stop() {}, late }],
    });
    expect(performance.now() - began).toBeGreaterThan(1_900);
    expect(signals.type).toBe('cpu');
  }, 20_000);

  it.each(['start', 'tick', 'stop'])('are left out with a warning where they throw in %s', async (method) => {
    const sampler = {
      name: 'faulty',
      start() {},
      tick() {},
      stop() {},
      [method]: () => {
        throw new Error('no luck');
      },
    };
    const { warnings, metrics } = await gatherSignals('cpu', { durationMs: 250, samplers: [sampler] });
    expect(warnings.join()).toMatch(/"faulty" failed.*no luck/);
    expect(metrics['heap.used']!.available).toBe(true);
  });
});

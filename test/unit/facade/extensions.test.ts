import { describe, expect, it } from 'vitest';
import {
  analyse,
  defaultRules,
  measured,
  type Alert,
  type Rule,
  type Sampler,
  type SystemOptimizer,
} from '../../../dist/index.js';
import { ownStore } from './own-store.js';

const { optimizer } = ownStore();

const queueDepth: Sampler = {
  name: 'queue depth',
  start() {},
  tick: (values) => void (values['app.queue.depth'] = 120),
  stop: ({ metrics }) => void (metrics['app.queue.depth'] = measured(120, 'count')),
};

const queueFills: Rule = {
  name: 'queue fills',
  cause: 'backpressure-ignored',
  evaluate: (view) => {
    const depth = view.value('app.queue.depth');
    if (depth === undefined) return { findings: [] };
    if (depth < 100) return { findings: [], because: `the queue never held more than ${depth} jobs` };
    const title = `The queue held ${depth} jobs`;
    const evidence = [
      { metric: 'app.queue.depth', value: depth, unit: 'count', threshold: 100, statement: title },
    ];
    const location = { function: 'enqueue', file: '/app/queue.js', line: 7 };
    return {
      findings: [
        {
          cause: 'backpressure-ignored',
          severity: 'high',
          confidence: 0.9,
          impact: 1,
          title,
          location,
          evidence,
        },
      ],
    };
  },
};

function profiled(one: SystemOptimizer) {
  return one.profileSystem({ type: 'cpu', durationMs: 250 });
}

describe('rules and samplers of a service', () => {
  it('are in what is stored: metric, time line, finding and recommendation', async () => {
    const one = optimizer();
    one.addSampler(queueDepth);
    one.addRule(queueFills);
    const { id } = await profiled(one);
    const stored = await one.store.getResult(id);
    expect(stored.metrics['app.queue.depth']).toEqual({ available: true, value: 120, unit: 'count' });
    expect(stored.timeline.some(({ values }) => values['app.queue.depth'] === 120)).toBe(true);
    expect(stored.analysis.findings[0]).toMatchObject({
      cause: 'backpressure-ignored',
      title: 'The queue held 120 jobs',
      location: { function: 'enqueue', file: '/app/queue.js', line: 7 },
    });
    expect(stored.recommendations.some(({ location }) => location?.function === 'enqueue')).toBe(true);
    expect(stored.warnings.join()).not.toContain('left out');
  });

  it('say what they ruled out', async () => {
    const one = optimizer();
    one.addSampler({
      ...queueDepth,
      stop: ({ metrics }) => void (metrics['app.queue.depth'] = measured(3, 'count')),
    });
    one.addRule({ ...queueFills, cause: 'lock-contention' });
    const { analysis } = await profiled(one);
    expect(analysis.ruledOut).toContainEqual({
      cause: 'lock-contention',
      because: 'the queue never held more than 3 jobs',
    });
  });

  it('are those that are there when the run begins, a moment after the call', async () => {
    const one = optimizer();
    const result = profiled(one);
    one.addSampler(queueDepth);
    expect((await result).metrics['app.queue.depth']).toMatchObject({ available: true, value: 120 });
  });

  it('are gone once they are taken away', async () => {
    const one = optimizer();
    const removers = [one.addSampler(queueDepth), one.addRule(queueFills)];
    for (const remove of [...removers, ...removers]) remove();
    const { metrics, analysis } = await profiled(one);
    expect(metrics).not.toHaveProperty('app.queue.depth');
    expect(analysis.findings.map(({ cause }) => cause)).not.toContain('backpressure-ignored');
    one.addSampler(queueDepth);
    one.addRule(queueFills);
    for (const remove of removers) remove();
    expect((await profiled(one)).analysis.findings[0]!.cause).toBe('backpressure-ignored');
  });

  it('of a second one with the same name are refused', () => {
    const one = optimizer();
    one.addSampler(queueDepth);
    one.addRule(queueFills);
    one.addRule({ cause: 'saturated', evaluate: () => ({ findings: [] }) });
    const duplicate = expect.objectContaining({ code: 'DUPLICATE_NAME' });
    expect(() => one.addSampler({ ...queueDepth })).toThrow(duplicate);
    expect(() => one.addRule({ ...queueFills })).toThrow(duplicate);
    expect(() => one.addRule({ cause: 'saturated', evaluate: () => ({ findings: [] }) })).toThrow(duplicate);
  });

  it.each<[string, unknown, RegExp]>([
    ['addRule', undefined, /^rule is undefined/],
    ['addRule', { cause: 'queue-full', evaluate() {} }, /^rule\.cause is "queue-full"/],
    ['addRule', { cause: 'saturated' }, /^rule\.evaluate is undefined/],
    ['addRule', { name: '', cause: 'saturated', evaluate() {} }, /^rule\.name is ""/],
    ['addSampler', null, /^sampler is null/],
    ['addSampler', { ...queueDepth, name: 7 }, /^sampler\.name is 7/],
    ['addSampler', { ...queueDepth, stop: undefined }, /^sampler\.stop is undefined/],
    ['addSampler', { ...queueDepth, late: 'later' }, /^sampler\.late is "later"/],
  ])('%s refuses %j', (method, value, message) => {
    const one = optimizer() as unknown as Record<string, (value: unknown) => void>;
    expect(() => one[method]!(value)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => one[method]!(value)).toThrow(message);
  });

  it('are refused by an optimizer that is closed', async () => {
    const one = optimizer();
    await one.close();
    const closed = expect.objectContaining({ code: 'CLOSED' });
    expect(() => one.addRule(queueFills)).toThrow(closed);
    expect(() => one.addSampler(queueDepth)).toThrow(closed);
  });

  const finding = queueFills.evaluate({ value: () => 200 } as never).findings[0]!;
  it.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('no luck');
      },
      /no luck/,
    ],
    ['is asynchronous', () => Promise.reject(new Error('late')), /evaluate\(\) returned is/],
    ['gives nothing', () => undefined, /evaluate\(\) returned is undefined/],
    ['gives a list', () => [finding], /evaluate\(\) returned is/],
    [
      'names a cause that is none',
      () => ({ findings: [{ ...finding, cause: 'x' }] }),
      /findings\[0\]\.cause is "x"/,
    ],
    ['gives no number', () => ({ findings: [{ ...finding, impact: NaN }] }), /findings\[0\]\.impact is NaN/],
    ['gives no evidence', () => ({ findings: [{ ...finding, evidence: [{}] }] }), /findings\[0\]\.evidence/],
    [
      'gives a place without a line',
      () => ({ findings: [{ ...finding, location: { function: 'f', file: 'g' } }] }),
      /findings\[0\]\.location/,
    ],
  ])('a rule that %s is left out with a warning', async (_how, evaluate, message) => {
    const one = optimizer();
    one.addRule({ name: 'faulty', cause: 'saturated', evaluate: evaluate as Rule['evaluate'] });
    one.addRule(queueFills);
    one.addSampler(queueDepth);
    const { id } = await profiled(one);
    const { warnings, analysis } = await one.store.getResult(id);
    const about = warnings.filter((warning) =>
      warning.startsWith('The rule "faulty" failed and was left out'),
    );
    expect(about).toHaveLength(1);
    expect(about[0]).toMatch(message);
    expect(analysis.findings[0]!.title).toBe(finding.title.replace('200', '120'));
  });

  it.each<[string, Partial<Sampler>, RegExp]>([
    [
      'throws',
      {
        stop: () => {
          throw new Error('no luck');
        },
      },
      /"faulty" failed and was left out: no luck/,
    ],
    [
      'starts asynchronously',
      { start: (): unknown => Promise.reject(new Error('late')) },
      /"faulty" failed and was left out: What start\(\) returned is a promise/,
    ],
    [
      'gives no metric',
      { stop: ({ metrics }) => void (metrics['app.bad'] = 7 as never) },
      /"faulty" gave 7 for "app\.bad"/,
    ],
    [
      'takes a figure away',
      { late: ({ metrics }) => Promise.resolve(void (metrics['heap.used'] = null as never)) },
      /"faulty" gave null for "heap\.used"/,
    ],
  ])('a sampler that %s is left out with a warning', async (_how, methods, message) => {
    const one = optimizer();
    const tick = (values: Record<string, number>) => void (values['app.bad'] = NaN);
    one.addSampler({ name: 'faulty', start() {}, tick, stop() {}, ...methods });
    one.addSampler(queueDepth);
    const { id } = await profiled(one);
    const { warnings, metrics, timeline } = await one.store.getResult(id);
    expect(warnings.filter((warning) => warning.includes('"faulty"'))).toEqual([
      expect.stringMatching(message),
    ]);
    expect(metrics).not.toHaveProperty('app.bad');
    expect(timeline.some(({ values }) => 'app.bad' in values)).toBe(false);
    expect(metrics['app.queue.depth']).toMatchObject({ value: 120 });
    expect(metrics['heap.used']).toMatchObject({ available: true });
  });

  it('take part in the profiles that the monitor takes by itself', async () => {
    const one = optimizer();
    one.addSampler(queueDepth);
    one.addRule(queueFills);
    const alerted = new Promise<Alert>((resolve) => one.once('alert', resolve));
    await one.monitor({ intervalMs: 20, anomalies: { loopDelayMs: 50, profileMs: 3000 } });
    const timer = setInterval(() => {
      const endMs = performance.now() + 120;
      while (performance.now() < endMs);
    }, 200);
    const { result } = await alerted;
    clearInterval(timer);
    expect(result!.metrics['app.queue.depth']).toMatchObject({ value: 120 });
    expect(result!.analysis.findings.map(({ title }) => title)).toContain('The queue held 120 jobs');
  });
});

describe('analyse', () => {
  it('runs the built-in rules and those of the caller over signals', async () => {
    const one = optimizer();
    one.addSampler(queueDepth);
    const result = await profiled(one);
    const signals = { ...result, gc: [], operations: [], threads: [] } as Parameters<typeof analyse>[0];
    const { findings } = analyse(signals, [...defaultRules, queueFills]);
    expect(findings[0]!.cause).toBe('backpressure-ignored');
    expect(analyse(signals).findings.map(({ title }) => title)).not.toContain('The queue held 120 jobs');
  });
});

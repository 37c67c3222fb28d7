// Learning that the optimizer owns: what it expects comes from the store, and what it changes is stored. On an injected clock.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { captureEnvironment } from '../../../dist/host/environment.js';
import { computation, importWisdom, type OptimizationProfile } from '../../../dist/index.js';
import { ownStore } from './own-store.js';

const store = ownStore();
const { optimizer } = store;

/** A computation whose variants move a clock: `b` wins although the store says that `a` does. */
function scene() {
  let clockMs = 0;
  let waiting: (() => void) | undefined;
  const costsMs: Record<string, number> = { a: 0.2, b: 0.1 };
  const variants = Object.fromEntries(
    Object.entries(costsMs).map(([name, ms]) => [name, (n: number) => ((clockMs += ms), n)]),
  );
  const environment = {
    now: () => clockMs,
    utilization: () => 0,
    schedule: (call: () => void) => {
      waiting = call;
      return () => (waiting = undefined);
    },
  };
  const subject = () => computation<(n: number) => number>({ name: 'watched', variants });
  const idle = async (one: { dispatch: (n: number) => number }, slices: number) => {
    for (let i = 0; i < slices && waiting; i += 1) {
      for (let k = 0; k < 4; k += 1) one.dispatch(100);
      const call = waiting;
      waiting = undefined;
      call();
      for (let k = 0; k < 400 && !waiting; k += 1) await Promise.resolve();
    }
  };
  return { subject, environment, idle, isWaiting: () => waiting !== undefined };
}

function profile(hostId?: string): OptimizationProfile {
  const environment = captureEnvironment();
  const standings = [
    { variant: 'a', cost: 1e5, logRatio: 0, error: 0.01, tied: false },
    { variant: 'b', cost: 1.5e5, logRatio: 0.4, error: null, tied: false },
  ];
  return {
    schemaVersion: 1,
    id: 'computation-00000000-0000-7000-8000-000000000001',
    type: 'computation',
    createdAt: new Date().toISOString(),
    elapsedMs: 1,
    environment: hostId ? { ...environment, host: { ...environment.host, id: hostId } } : environment,
    subject: { kind: 'computation', name: 'watched' },
    settings: {},
    plan: { sizes: [{ size: 100, standings }] },
    status: 'no_improvement',
    validation: null,
    comparisons: [],
    choice: null,
    warnings: [],
  };
}

const stored = (name: string) => JSON.parse(readFileSync(join(store.path, name), 'utf8'));
const isB = [{ maxSize: null, variant: 'b' }];

describe('keepLearning of the optimizer', () => {
  it('stores what was learnt: the next process starts with it, and other services can take it along', async () => {
    const { subject, environment, idle } = scene();
    const first = optimizer();
    await first.store.saveProfile(profile());
    const watched = first.register(subject());
    const learning = await first.keepLearning('watched', { environment, sampleEvery: 4 });
    await idle(watched, 80);
    expect(watched.choice.bySize).toEqual(isB);
    expect(learning.stats.changes).toBe(1);
    await first.close();

    expect(stored('config.json').subjects['computation:watched']).toMatchObject({
      choice: { kind: 'computation', bySize: isB },
      profileId: profile().id,
    });
    expect(optimizer().register(subject()).choice.bySize).toEqual(isB);
    const elsewhere = subject();
    expect(importWisdom(stored('wisdom.json'), [elsewhere]).applied).toEqual(['watched']);
    expect(elsewhere.choice.bySize).toEqual(isB);
  });

  it('ends with the optimizer', async () => {
    const { subject, environment, isWaiting } = scene();
    const one = optimizer();
    await one.store.saveProfile(profile());
    one.register(subject());
    await one.keepLearning('watched', { environment });
    expect(isWaiting()).toBe(true);
    await expect(one.keepLearning('watched', { environment })).rejects.toThrow(/watched already/);
    await one.close();
    expect(isWaiting()).toBe(false);
    await expect(one.keepLearning('watched')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('refuses what was not measured on this host, and what is not registered', async () => {
    const { subject } = scene();
    const one = optimizer();
    const watched = one.register(subject());
    await expect(one.keepLearning(watched)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await one.store.saveProfile(profile('another-host'));
    await expect(one.keepLearning(watched)).rejects.toThrow(/measured on this host/);
    await one.store.saveProfile({
      ...profile(),
      settings: { resourceUtilization: { objective: 'memory' } },
    });
    await expect(one.keepLearning(watched)).rejects.toThrow(/the objective memory.*learning compares times/);
    await expect(one.keepLearning(subject())).rejects.toMatchObject({ code: 'SUBJECT_NOT_HERE' });
    await expect(one.keepLearning(watched, null as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(one.keepLearning('other')).rejects.toMatchObject({ code: 'SUBJECT_NOT_HERE' });
    await expect(one.keepLearning(undefined as never)).rejects.toMatchObject({ code: 'SUBJECT_NOT_HERE' });
  });

  it('keeps the choice in force and warns where it cannot be stored', async () => {
    const { subject, environment, idle } = scene();
    const one = optimizer();
    await one.store.saveProfile(profile());
    const watched = one.register(subject());
    writeFileSync(join(store.path, 'wisdom.json'), '{ torn');
    const warnings: string[] = [];
    one.on('warning', (message) => warnings.push(message));
    await one.keepLearning(watched, { environment, sampleEvery: 4 });
    await idle(watched, 80);
    await one.close();
    expect(watched.choice.bySize).toEqual(isB);
    expect(warnings).toEqual([expect.stringContaining('wisdom of "watched" could not be stored')]);
    expect(readFileSync(join(store.path, 'wisdom.json'), 'utf8')).toBe('{ torn');
  });
});

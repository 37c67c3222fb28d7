import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemOptimizer, type Alert } from '../../../dist/index.js';

const { compute } = createRequire(import.meta.url)('../../fixtures/block-loop.cjs') as {
  compute: (forMs: number) => number;
};
let storagePath: string;
let optimizer: SystemOptimizer;
beforeEach(() => {
  storagePath = mkdtempSync(join(tmpdir(), 'sysopt-alert-'));
  optimizer = new SystemOptimizer({ storagePath });
});
afterEach(async () => {
  await optimizer.close();
  rmSync(storagePath, { recursive: true, force: true });
});
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (condition: () => boolean) => {
  for (let i = 0; i < 1000 && !condition(); i += 1) await sleep(20);
};

interface Told {
  readonly event: string;
  readonly id: string | undefined;
}

/**
 * Blocks the loop once the monitor sees it come round. A crowded machine may block it before or after for a moment
 * longer than the limit: those alerts are told apart by their length.
 */
async function block(forMs: number): Promise<{ alert: Alert; others: Alert[] }> {
  const told: Told[] = [];
  const alerts: Alert[] = [];
  optimizer.on('profile', ({ id }) => told.push({ event: 'profile', id }));
  optimizer.on('alert', (alert) => {
    alerts.push(alert);
    told.push({ event: 'alert', id: alert.result?.id });
  });
  const monitor = await optimizer.monitor({ watchdog: { blockedMs: 400 }, anomalies: false });
  await until(() => monitor.points().length > 8);
  await sleep(300);
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) compute(30);
  const isMeant = ({ value }: Alert) => value > forMs * 0.75;
  await until(() => alerts.some(isMeant));
  const alert = alerts.find(isMeant)!;
  const { id } = alert.result!;
  expect(told.filter((each) => each.id === id)).toEqual([
    { event: 'profile', id },
    { event: 'alert', id },
  ]);
  return { alert, others: alerts.filter((each) => each !== alert) };
}

describe('an alert', () => {
  it('tells a block that ended, with its stored result and V8’s own profile', async () => {
    const { alert } = await block(1500);
    expect(alert).toMatchObject({ kind: 'blocked-loop', limit: 400, unit: 'ms' });
    expect(alert.failure).toBeUndefined();
    const { id } = alert.result!;
    const stored = await optimizer.store.getResult(id);
    expect(stored.trigger).toMatchObject({ kind: 'blocked-loop', value: alert.value });
    expect(stored.functions.map(({ location }) => location.function)).toContain('compute');
    expect(JSON.parse((await optimizer.store.rawProfile(id, 'cpuprofile'))!)).toHaveProperty('nodes');
  });

  it('tells a block that outlasted its profile once, as the watchdog stored it', async () => {
    const { alert, others } = await block(8000);
    const ofOthers = new Set(others.map(({ result }) => `${result!.id}.json`));
    const stored = readdirSync(join(storagePath, 'results')).filter((name) => !ofOthers.has(name));
    expect(stored).toEqual([`${alert.result!.id}.json`]);
    expect(existsSync(join(storagePath, 'raw', `${alert.result!.id}.cpuprofile`))).toBe(true);
    expect(alert.result!.warnings).toContainEqual(expect.stringContaining('still blocked'));
    // How long it lasted is known by now.
    expect(alert.value).toBeGreaterThan(alert.result!.trigger!.value);
  });
});

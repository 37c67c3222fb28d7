/** A service that is asked over one connection by many requests at once. */
import { expect, it } from 'vitest';
import { analyse } from '../../../dist/analysis/analyse.js';
import type { ActivityCost } from '../../../dist/model/signals.js';
import { signals, WINDOW_MS } from './signals.js';

const EXCHANGE: ActivityCost = {
  kind: 'socket',
  name: 'exchange',
  target: '10.0.0.7:5432',
  count: 100,
  errors: 0,
  totalMs: 4800,
  p50Ms: 48,
  p99Ms: 90,
  maxMs: 95,
  bytes: 0,
  maxInFlight: 1,
};
const row = (changes: Partial<ActivityCost>): ActivityCost => ({
  ...EXCHANGE,
  location: { function: 'balanceOf', file: '/app/ledger.js', line: 28 },
  ...changes,
});
const served = (p50Ms: number): ActivityCost => ({
  ...EXCHANGE,
  kind: 'http-server',
  name: 'request',
  target: '',
  count: 110,
  p50Ms,
  totalMs: 110 * p50Ms,
});
const first = (...activities: ActivityCost[]) =>
  analyse(signals({ type: 'network', activities })).findings[0]!;

it('is slow where the program’s answers take long and nothing else explains it', () => {
  expect(first(served(480), row({}))).toMatchObject({
    cause: 'slow-downstream',
    location: { function: 'balanceOf' },
  });
});

it.each([
  ['the answers are fast', served(30), row({})],
  ['the connection is idle for most of the time', served(480), row({ totalMs: WINDOW_MS / 5 })],
  ['hardly any request uses it', served(480), row({ count: 9 })],
])('is not where %s', (_what, ...activities) => {
  expect(first(...activities).cause).toBe('healthy');
});

it('is not where another wait explains it', () => {
  const waits = row({ kind: 'timer', name: 'setTimeout', p50Ms: 470, totalMs: 110 * 470, target: '' });
  expect(first(served(480), row({}), waits).cause).toBe('healthy');
});

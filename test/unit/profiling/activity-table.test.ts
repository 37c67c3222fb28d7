/** What taking stacks costs is bounded from the first moment on, and their sample stands for all. */
import { afterEach, expect, it, vi } from 'vitest';
import { ActivityTable } from '../../../dist/profiling/activity/activity-table.js';

afterEach(() => {
  vi.restoreAllMocks();
});

it('takes few stacks of many operations also within one tick, and counts them all', () => {
  const stacks = vi.spyOn(Error, 'captureStackTrace');
  const table = new ActivityTable();
  table.recording = true;
  const COUNT = 100_000;
  function asks() {
    table.end(table.begin('http', 'GET', 'host:80', asks));
  }
  for (let i = 0; i < COUNT; i += 1) asks();
  expect(stacks.mock.calls.length).toBeGreaterThan(80);
  expect(stacks.mock.calls.length).toBeLessThan(1000);
  expect(table.totals('http').latency.weight).toBe(COUNT);
  // Each row's operation stands for as many as its stride was: the sum is the count, give or take ten standard errors.
  const counted = table.rows().reduce((sum, { latency }) => sum + latency.weight, 0);
  expect(counted).toBeGreaterThan(COUNT * 0.3);
  expect(counted).toBeLessThan(COUNT * 1.9);
});

it('takes all stacks again once operations are few', () => {
  const table = new ActivityTable();
  table.recording = true;
  function asks() {
    table.end(table.begin('http', 'GET', 'host:80', asks));
  }
  for (let i = 0; i < 10_000; i += 1) asks();
  for (let tick = 0; tick < 20; tick += 1) table.adapt();
  const stacks = vi.spyOn(Error, 'captureStackTrace');
  for (let i = 0; i < 50; i += 1) asks();
  expect(stacks.mock.calls.length).toBe(50);
});

import { expect, it } from 'vitest';
import { fitComplexity } from '../../../dist/computation/complexity-fit.js';

const SIZES = [10, 30, 100, 300, 1_000, 3_000, 10_000];
const at = (cost: (n: number) => number, sizes = SIZES) => sizes.map((size) => ({ size, cost: cost(size) }));

it.each<[string, (n: number) => number]>([
  ['1', () => 50],
  ['log n', (n) => 5 + 20 * Math.log2(n + 1)],
  ['n', (n) => 100 + 3 * n],
  ['n log n', (n) => 2 * n * Math.log2(n + 1)],
  ['n²', (n) => 40 + 0.5 * n ** 2],
  ['n³', (n) => 0.001 * n ** 3],
])('recognises %s', (complexity, cost) => {
  const fit = fitComplexity(at(cost));
  expect(fit?.complexity).toBe(complexity);
  expect(fit?.relativeError).toBeLessThan(1e-6);
});

it('recovers overhead and coefficient', () => {
  const fit = fitComplexity(at((n) => 100 + 3 * n))!;
  expect(fit.overhead).toBeCloseTo(100, 6);
  expect(fit.coefficient).toBeCloseTo(3, 9);
});

it('sees through ten per cent of noise, and says what it cannot tell apart', () => {
  let seed = 1;
  const noise = () => 1 + 0.1 * (((seed = (seed * 16807) % 2147483647) / 2147483647) * 2 - 1);
  const fit = fitComplexity(at((n) => n ** 2 * noise()))!;
  expect(fit.complexity).toBe('n²');
  expect(fit.relativeError).toBeGreaterThan(0.01);
  // Growth of a twentieth of the whole over one decade looks like several things.
  const close = fitComplexity(at((n) => 1e6 + 60 * n, [100, 200, 400, 800]))!;
  expect([close.complexity, ...close.alsoPlausible]).toContain('n');
  expect(close.alsoPlausible.length).toBeGreaterThan(0);
});

it('prefers the simplest of those that fit: a flat cost is no logarithm', () => {
  const fit = fitComplexity(at((n) => 50 + (n % 7) * 0.1))!;
  expect(fit.complexity).toBe('1');
});

it('never has negative overhead or growth', () => {
  for (const cost of [(n: number) => 1000 / n, (n: number) => n ** 4, () => 1]) {
    const fit = fitComplexity(at(cost))!;
    expect(fit.overhead).toBeGreaterThanOrEqual(0);
    expect(fit.coefficient).toBeGreaterThanOrEqual(0);
  }
});

it.each([
  ['no points', []],
  ['three sizes', at((n) => n, [1, 10, 100])],
  ['a narrow span', at((n) => n, [100, 200, 300, 400])],
  ['one size repeated', at((n) => n, [5, 5, 5, 5, 500])],
  ['useless points', [0, 0, 0, 0].map((size) => ({ size, cost: NaN }))],
])('says nothing from %s', (_, points) => {
  expect(fitComplexity(points)).toBeNull();
});

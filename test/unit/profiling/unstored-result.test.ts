/** A profile took seconds to measure: a store that cannot be written does not cost it. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SystemOptimizer } from '../../../dist/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unstored-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a store that turns unwritable in the window leaves the result in the caller’s hands', async () => {
  const storagePath = join(folder, 'store');
  const optimizer = new SystemOptimizer({ storagePath });
  const warnings: string[] = [];
  const told: string[] = [];
  optimizer.on('warning', (warning) => warnings.push(warning));
  optimizer.on('profile', ({ id }) => told.push(id));
  // The first news of the run: it has begun.
  optimizer.once('progress', () => writeFileSync(storagePath, 'in the way'));
  const result = await optimizer.profileSystem({ type: 'cpu', durationMs: 900 });
  expect(result).toMatchObject({ type: 'cpu', stored: false });
  expect(result.analysis.findings.length).toBeGreaterThan(0);
  expect(result.warnings.at(-1)).toContain('could not be stored');
  expect(warnings.some((warning) => warning.includes(result.id))).toBe(true);
  expect(told).toEqual([result.id]);
  await optimizer.close();
});

it('a store that is unwritable from the start is told before anything is measured', async () => {
  const storagePath = join(folder, 'file');
  writeFileSync(storagePath, '');
  const optimizer = new SystemOptimizer({ storagePath });
  await expect(optimizer.profileSystem({ type: 'cpu', durationMs: 600_000 })).rejects.toMatchObject({
    code: 'STORAGE_NOT_A_DIRECTORY',
  });
  // The window would outlast the test.
  await optimizer.close();
});

it('a window of a moment is refused by its least length, and a short one judges nothing', async () => {
  const optimizer = new SystemOptimizer({ storagePath: join(folder, 'store') });
  await expect(optimizer.profileSystem({ type: 'cpu', durationMs: 1 })).rejects.toThrow(/10/);
  const { analysis } = await optimizer.profileSystem({ type: 'cpu', durationMs: 10 });
  const [first] = analysis.findings;
  expect(first!.cause).toBe('healthy');
  expect(first!.title).toContain('too short');
  await optimizer.close();
  expect(existsSync(join(folder, 'store', 'results'))).toBe(true);
});

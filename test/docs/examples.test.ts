// The small examples run as they stand, and say what is true.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('search-by-tags finds the same whatever was chosen', async () => {
  const main = fileURLToPath(new URL('../../examples/search-by-tags/main.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--budget', '3']);
  expect(stdout).toMatch(/^status: (applied|no_improvement|inconclusive)$/m);
  expect(stdout).toMatch(/^else: (withSet|merge|bisect)$/m);
  expect(stdout).toContain('taken from wisdom: intersect\n');
  // Multiples of 1,000 and 2, and of 3 and 2, below 200,000.
  expect(stdout).toContain('chess and news: 200\n');
  expect(stdout).toContain('sport and news: 33333\n');
}, 60_000);

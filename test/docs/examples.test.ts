// The small examples run as they stand, and say what is true.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { redisMissing, startRedis } from '../fixtures/executor/backends.js';
import { startWorker } from '../verify/executor.js';

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

it.each(['dedupe', 'top-k'])(
  'choose-an-algorithm names a way of %s for each size',
  async (name) => {
    const main = fileURLToPath(new URL('../../examples/choose-an-algorithm/main.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [main, name, '--budget', '3']);
    expect(stdout).toMatch(/: (applied|no_improvement|inconclusive)$/m);
    const { default: request } = (await import(`../../bench/real-cases/${name}.js`)) as {
      default: { sizes: number[]; variants: object };
    };
    for (const size of request.sizes) {
      const [, chosen] = new RegExp(`^size ${size}: (\\S+)`, 'm').exec(stdout) ?? [];
      expect(Object.keys(request.variants)).toContain(chosen);
    }
    expect(stdout).toContain('dispatch gives object');
  },
  60_000,
);

const PRIMES = '4 primes below 10\n168 primes below 1000\n9592 primes below 100000\n';
const jobs = fileURLToPath(new URL('../../examples/jobs/main.js', import.meta.url));

it('jobs runs in threads', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [jobs]);
  expect(stdout).toBe(PRIMES);
});

it.skipIf(redisMissing !== undefined)('jobs runs through a queue', async () => {
  const redis = await startRedis();
  const worker = await startWorker(redis.connection, 'primes', ['--only', 'examples/jobs/primes.js']);
  try {
    const env = { ...process.env, SYSOPT_QUEUE_CONNECTION: redis.connection };
    const { stdout } = await promisify(execFile)(process.execPath, [jobs], { env });
    expect(stdout).toBe(PRIMES);
  } finally {
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    await redis.stop();
  }
});

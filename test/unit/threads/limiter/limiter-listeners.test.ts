/** What listeners of a limiter throw is an uncaught exception, and changes nothing for its calls. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('strands nobody where a listener throws, and loses no result', () => {
  const source = `
    import { ConcurrencyLimiter } from ${JSON.stringify(new URL('../../../../dist/index.js', import.meta.url).href)};
    const caught = [];
    process.on('uncaughtException', (error) => caught.push(error.message));
    const limiter = new ConcurrencyLimiter({ initialLimit: 1, queueSize: 20, maxQueued: 1, windowMs: 1, windowCalls: 1 });
    for (const event of ['rejected', 'limit']) limiter.on(event, () => { throw new Error(event); });
    const permit = limiter.tryAcquire();
    const displaced = limiter.acquire().catch((error) => error.code);
    const urgent = limiter.acquire({ priority: 1 });
    const refused = limiter.acquire().catch((error) => error.code);
    const seen = [await displaced, await refused];
    await new Promise((resolve) => setTimeout(resolve, 10));
    permit.release();
    (await urgent).release('failed');
    for (let n = 0; n < 3; n += 1) {
      seen.push(await limiter.run(() => new Promise((resolve) => setTimeout(resolve, 5, n))));
    }
    const { inFlight, queued } = limiter.stats();
    await new Promise((resolve) => setImmediate(resolve));
    console.log(JSON.stringify([seen, inFlight, queued, [...new Set(caught)].sort()]));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    ['LIMIT_EXCEEDED', 'LIMIT_EXCEEDED', 0, 1, 2],
    0,
    0,
    ['limit', 'rejected'],
  ]);
});

/** Tasks, aborts, deaths and loops at the same time: every promise settles, once and as it should. */
import { expect, it } from 'vitest';
import { randomFrom } from '../fixtures/threads/simulate.js';
import { fixture, int32, poolWith } from '../fixtures/threads/setup.js';

it('settles every promise under random aborts and deaths', async () => {
  const random = randomFrom(42);
  const pool = poolWith({ maxThreads: 3, queueLimit: 200, queueFull: 'wait' });
  const outcomes: Record<string, number> = {};
  const count = (name: string) => (outcomes[name] = (outcomes[name] ?? 0) + 1);
  const work: Promise<unknown>[] = [];
  for (let n = 0; n < 2_000; n += 1) {
    const dice = random();
    if (dice < 0.01) {
      work.push(
        pool.run(fixture('exitProcess'), 1).then(
          () => count('impossible'),
          (error: { code: string }) => count(error.code),
        ),
      );
    } else if (dice < 0.06) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), random() * 60);
      work.push(
        pool.run(fixture('later'), { ms: 20, value: n }, { signal: controller.signal }).then(
          (value) => count(value === n ? 'result' : 'wrong'),
          (error: { code: string }) => count(error.code),
        ),
      );
    } else if (dice < 0.08) {
      const visits = int32(64);
      work.push(
        pool
          .parallelFor({
            task: fixture('countVisits'),
            range: [0, 64],
            shared: { visits },
            schedule: 'stealing',
          })
          .then(() => count(visits.every((each) => each === 1) ? 'loop' : 'wrong')),
      );
    } else {
      work.push(pool.run(fixture('double'), n).then((value) => count(value === n * 2 ? 'result' : 'wrong')));
    }
  }
  await Promise.all(work);
  expect(Object.values(outcomes).reduce((sum, each) => sum + each, 0)).toBe(2_000);
  expect(
    Object.keys(outcomes).every((name) => ['result', 'loop', 'ABORTED', 'WORKER_DIED'].includes(name)),
  ).toBe(true);
  expect(outcomes['WORKER_DIED']).toBeGreaterThan(0);
  await pool.drain();
  expect(pool.stats()).toMatchObject({ running: 0, queued: 0, runningLoops: 0 });
});

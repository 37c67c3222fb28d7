/** Tasks that follow one another without end leave turns to their thread's event loop: after so much time, never after all. */
import { describe, expect, it } from 'vitest';
import { TaskRunner } from '../../../dist/threads/task-runner.js';
import { fixtureFile } from '../../fixtures/threads/setup.js';

const TASKS = 400;

/** A runner whose lane holds `TASKS` tasks that take `ms` each, and how many came back. */
async function runnerOf(ms: number, concurrency: number) {
  const returned: unknown[] = [];
  let left = TASKS + 1;
  const lane = {
    memory: {
      get hasSubmitted() {
        return left > 0;
      },
    },
    take: () => (left-- > 0 ? { slot: left, taskId: 1, args: ms, stores: undefined } : undefined),
    resolve: (slot: number) => returned.push(slot),
    reject: (_: number, error: unknown) => returned.push(error),
  };
  const runner = new TaskRunner(lane as never, { concurrency, stores: [] }, () => {});
  runner.learn(1, { module: fixtureFile('tasks.js').href, export: 'busyFor' } as never);
  // The first call loads the task.
  left = 1;
  const settled = runner.nextSettled();
  runner.run();
  await settled;
  left = TASKS;
  returned.length = 0;
  return { runner, returned };
}

describe('a run of tasks', () => {
  it('ends after one task of a millisecond or more where others may be under way', async () => {
    const { runner, returned } = await runnerOf(1.2, 2);
    expect(runner.run()).toBe(true);
    expect(returned).toHaveLength(1);
  });

  it('goes on for up to 4 ms with tasks of a millisecond or more, one at a time', async () => {
    const { runner, returned } = await runnerOf(1.2, 1);
    // Each takes 1.2 ms or, where the thread loses its CPU, more: none begins after 4 ms.
    let most = 0;
    for (let run = 0; run < 40; run += 1) {
      returned.length = 0;
      expect(runner.run()).toBe(true);
      expect(returned.length).toBeLessThanOrEqual(4);
      most = Math.max(most, returned.length);
    }
    // In one of forty runs the thread keeps its CPU for two tasks.
    expect(most).toBeGreaterThan(1);
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { SCHEDULES } from '../../../dist/threads/partition/by-name.js';
import { closeJobPools, job, Job, SERIAL } from '../../../dist/threads/job.js';
import { defineTask } from '../../../dist/threads/task.js';
import { fixture, fixtureFile, float64, int32, rejection } from '../../fixtures/threads/setup.js';

afterAll(() => closeJobPools());

const choice = (changes: object = {}) =>
  ({ ...SERIAL, threads: 2, schedule: 'stealing', ...changes }) as const;

describe('job', () => {
  it('is a subject that runs serially until something better is proved', () => {
    const subject = job({ name: 'squares', task: fixture('square'), range: [0, 1], shared: undefined });
    expect(subject).toBeInstanceOf(Job);
    expect(subject).toMatchObject({ kind: 'job', name: 'squares', choice: { kind: 'thread', threads: 1 } });
  });

  it('gives the same under every choice', async () => {
    const { triangle } = await import(fixtureFile('tasks.js').href);
    const expected = float64(400);
    triangle(0, 400, { output: expected });
    const output = float64(400);
    const subject = job({ name: 'triangle', task: fixture('triangle'), range: [0, 400], shared: { output } });
    for (const schedule of SCHEDULES) {
      for (const threads of [1, 2]) {
        for (const grain of [null, 7]) {
          output.fill(-1);
          subject.applyChoice({ kind: 'thread', threads, schedule, grain, affinity: 'none' });
          expect(await subject.run()).toBeUndefined();
          expect([...output]).toEqual([...expected]);
        }
      }
    }
  });

  it('combines to the same bits under every choice', async () => {
    const input = float64(5_000);
    for (let i = 0; i < input.length; i += 1) input[i] = ((i * 7919) % 1_000) * 10 ** ((i % 31) - 15);
    const subject = job({
      name: 'sum',
      task: fixture<(start: number, end: number, shared: { input: Float64Array }) => number>('sum'),
      range: [0, 5_000],
      shared: { input },
      combine: (left, right) => left + right,
    });
    const results = new Set<number | undefined>();
    for (const schedule of SCHEDULES) {
      for (const threads of [1, 2]) {
        for (const grain of [null, 3]) {
          subject.applyChoice({ kind: 'thread', threads, schedule, grain, affinity: 'none' });
          results.add(await subject.run());
        }
      }
    }
    expect(results.size).toBe(1);
    expect([...results][0]).toBeGreaterThan(0);
  });

  it('says which range threw, serially and on threads', async () => {
    const subject = job({
      name: 'bad',
      task: fixture('throwAt'),
      range: [0, 50],
      shared: { bad: 9, visits: int32(51) },
    });
    for (const threads of [1, 2]) {
      subject.applyChoice(choice({ threads }));
      const error = await rejection(subject.run());
      expect(error).toMatchObject({ code: 'TASK_THREW', cause: { message: 'iteration 9 is bad' } });
      expect(error.message).toMatch(/for range \[\d+, \d+\)/);
    }
  });

  it('ends by signal', async () => {
    const subject = job({ name: 'x', task: fixture('square'), range: [0, 1], shared: undefined });
    for (const threads of [1, 2]) {
      subject.applyChoice(choice({ threads }));
      expect((await rejection(subject.run({ signal: AbortSignal.abort() }))).code).toBe('ABORTED');
    }
  });

  it('ends by signal while its task is loaded', async () => {
    const module = 'data:text/javascript,export const kernel = (s, e, { visits }) => { visits[0] += 1; };';
    const visits = int32(1);
    const task = defineTask(module, 'kernel') as never;
    const subject = job({ name: 'x', task, range: [0, 1], shared: { visits } });
    const controller = new AbortController();
    const run = rejection(subject.run({ signal: controller.signal }));
    controller.abort();
    expect(await run).toMatchObject({ code: 'ABORTED' });
    expect(visits[0]).toBe(0);
  });

  it.each([
    [{ kind: 'memory' }, 'choice'],
    [{ threads: 0 }, 'choice.threads'],
    [{ schedule: 'fast' }, 'choice.schedule'],
    [{ affinity: 'x' }, 'choice.affinity'],
    [{ grain: 0 }, 'choice.grain'],
  ])('refuses the choice %j and keeps what was in force', (bad, message) => {
    const subject = job({ name: 'x', task: fixture('square'), range: [0, 1], shared: undefined });
    expect(() => subject.applyChoice(choice(bad) as never)).toThrow(message);
    expect(subject.choice).toEqual(SERIAL);
  });

  it.each([
    [{ name: '' }, 'job.name'],
    [{ task: () => 1 }, 'task'],
    [{ combine: 'sum' }, 'combine'],
    [{ shared: new Float64Array(2) }, 'ordinary ArrayBuffer'],
    [{ ranges: [] }, 'unknown key "ranges"'],
    [{ range: undefined }, 'range'],
    [{ range: [2, 1] }, 'range'],
    [{ costHint: [1, -1] }, 'costHint'],
  ])('refuses %j', (bad, message) => {
    const good = { name: 'x', task: fixture('square'), range: [0, 1] as const, shared: undefined };
    expect(() => job({ ...good, ...bad } as never)).toThrow(message);
  });
});

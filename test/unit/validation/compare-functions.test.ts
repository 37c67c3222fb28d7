import { describe, expect, it } from 'vitest';
import { compare } from '../../../dist/validation/compare.js';
import { arithmetic } from '../../fixtures/validation/workloads.js';

const short = { maxProcesses: 6 };

describe('compare over functions', () => {
  it('finds a threefold difference and says that it was measured in process', async () => {
    const result = await compare(arithmetic(3000), arithmetic(1000), { ...short, checkResults: false });
    expect(result.form).toBe('in-process');
    expect(result.verdict).toBe('faster');
    expect(result.ratio).toBeLessThan(0.6);
    expect(result.warnings[0]).toMatch(/within one process/);
  });

  it('never claims equivalence within 1 %, which one process cannot show', async () => {
    const result = await compare(arithmetic(1000), arithmetic(1000), short);
    expect(result.verdict).not.toBe('equivalent');
    expect(result.interval![1] - result.interval![0]).toBeGreaterThan(0.04);
  });

  it('awaits promises', async () => {
    let open = 0;
    let most = 0;
    const task = async () => {
      most = Math.max(most, (open += 1));
      await Promise.resolve();
      open -= 1;
      return 1;
    };
    await compare(task, task, { ...short, maxProcesses: 4 });
    expect(most).toBe(1);
  });

  it('lets the event loop turn meanwhile', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await compare(arithmetic(1000), arithmetic(1000), short);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
  });

  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    const running = compare(arithmetic(1000), arithmetic(1000), { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(
      compare(arithmetic(10), arithmetic(10), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('names a promise that never settles', async () => {
    const never = () => new Promise(() => {});
    await expect(compare(arithmetic(10), never, { timeoutMs: 50 })).rejects.toThrow(
      /^never gave no result within 50 ms/,
    );
  });

  it('names a function that throws and keeps its error as the cause', async () => {
    const cause = new TypeError('bad');
    const broken = () => {
      throw cause;
    };
    const error: any = await compare(arithmetic(10), broken).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SUBJECT_THREW', cause });
    expect(error.message).toContain('broken threw while it was measured: TypeError: bad');
  });

  it('names results that differ', async () => {
    await expect(
      compare(
        () => ({ total: 1 }),
        () => ({ total: 2 }),
      ),
    ).rejects.toThrow(/result\.total is 1 against 2/);
  });

  it('tells how a budget ended it', async () => {
    const result = await compare(arithmetic(1000), arithmetic(1000), { budgetMs: 1 });
    expect(result.processes).toBe(1);
    expect(result.verdict).toBe('inconclusive');
    expect(result.interval).toBeNull();
    expect(result.warnings.join()).toContain('budget of 1 ms');
  });
});

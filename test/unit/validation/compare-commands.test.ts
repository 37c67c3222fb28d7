import { describe, expect, it } from 'vitest';
import { compare } from '../../../dist/validation/compare.js';

/** A Node program that burns CPU for about as long as asked. */
const burning = (ms: number) => [
  process.execPath,
  '-e',
  `const end = performance.now() + ${ms}; while (performance.now() < end);`,
];
const few = { maxProcesses: 4 };

describe('compare over commands', () => {
  it('compares whole runs, with their CPU time beside', async () => {
    const result = await compare(
      { command: burning(20), label: 'short' },
      { command: burning(400), label: 'long' },
    );
    expect(result).toMatchObject({ form: 'commands', verdict: 'slower', unit: 'ms', baseline: 'short' });
    expect(result.candidateCost).toBeGreaterThan(400);
    if (process.platform === 'linux') {
      const cpu = result.costs.find(({ name }) => name === 'cpu time')!;
      expect(cpu.candidate).toBeGreaterThan(cpu.baseline);
    }
  });

  it('runs where and with what it was told', async () => {
    const script = "if (process.env.SIDE !== 'x' || process.cwd() !== '/') process.exit(1)";
    const subject = { command: [process.execPath, '-e', script], cwd: '/', env: { SIDE: 'x' } };
    await expect(compare(subject, subject, few)).resolves.toBeDefined();
  });

  it('names a command that fails, with its output', async () => {
    const failing = {
      command: [process.execPath, '-e', "console.error('no disk'); process.exit(2)"],
      label: 'bad',
    };
    const error: any = await compare({ command: burning(1) }, failing, few).catch(
      (reason: unknown) => reason,
    );
    expect(error.code).toBe('SUBJECT_DIED');
    expect(error.message).toMatch(/bad ended \(exit code 2\).*no disk/);
  });

  it('names a command that does not exist', async () => {
    const missing = { command: ['no-such-program-here'] };
    await expect(compare(missing, missing, few)).rejects.toMatchObject({ code: 'TARGET_NOT_FOUND' });
  });

  it('stops a command that takes too long', async () => {
    const slow = { command: burning(60_000), label: 'slow' };
    await expect(compare(slow, slow, { ...few, timeoutMs: 200 })).rejects.toThrow(
      /^slow \(baseline\) gave no result within 200 ms/,
    );
  });
});

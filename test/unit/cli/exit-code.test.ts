import { describe, expect, it } from 'vitest';
import { EXIT, exitCodeOf, reportOf, UsageError } from '../../../dist/cli/exit-code.js';
import { errorCatalogue, fail } from '../../../dist/errors.js';

describe('exit codes', () => {
  it('differ by whose turn it is to act', () => {
    expect(exitCodeOf(new UsageError('m', 'h'))).toBe(EXIT.usage);
    expect(exitCodeOf(fail('UNKNOWN_ID', { what: 'result', id: 'x', where: 'y', remedy: 'z' }))).toBe(
      EXIT.usage,
    );
    expect(exitCodeOf(fail('TARGET_EXITED', { how: 'exit code 1', when: 'early', output: '' }))).toBe(
      EXIT.target,
    );
    expect(exitCodeOf(fail('SUBJECT_UNLOADABLE', { subject: 'x', reason: 'y', remedy: 'z' }))).toBe(
      EXIT.target,
    );
    expect(exitCodeOf(fail('STORAGE_NOT_A_DIRECTORY', { path: 'x' }))).toBe(EXIT.storage);
    expect(exitCodeOf(fail('ABORTED', { what: 'x' }))).toBe(EXIT.interrupted);
    expect(exitCodeOf(new TypeError('x'))).toBe(EXIT.failure);
  });

  it('are no accident for any catalogued target, storage or subject error', () => {
    const byClass = new Map(errorCatalogue().map(({ code, className }) => [className, code]));
    for (const [className, expected] of [
      ['TargetError', EXIT.target],
      ['SubjectError', EXIT.target],
      ['StorageError', EXIT.storage],
      ['SettingsError', EXIT.usage],
    ] as const) {
      const code = byClass.get(className);
      expect(code).toBeDefined();
      expect(exitCodeOf((fail as any)(code, {}))).toBe(expected);
    }
  });
});

describe('errors for scripts', () => {
  it('carry message and hint apart', () => {
    expect(reportOf(fail('STORAGE_NOT_A_DIRECTORY', { path: '/x' }))).toEqual({
      code: 'STORAGE_NOT_A_DIRECTORY',
      message: 'Storage path /x is not a directory.',
      hint: expect.stringContaining('--storage') as string,
    });
  });

  it('say something whatever is thrown', () => {
    for (const thrown of [new Error(''), 'text', undefined, null, { a: 1 }]) {
      const report = reportOf(thrown);
      expect(report.message).not.toBe('');
      expect(report.code).not.toBe('');
    }
  });
});

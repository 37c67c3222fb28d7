import { readFileSync } from 'node:fs';
import { describe as group, expect, it } from 'vitest';
import { describe, errorCatalogue, fail, OptimizerError, StorageError } from '../../dist/errors.js';

group('errors', () => {
  it('fills the template and keeps what the system said', () => {
    const cause = new Error('EROFS');
    const error = fail(
      'STORAGE_NOT_WRITABLE',
      { path: '/x', reason: 'read-only' },
      { cause, errno: 'EROFS', syscall: 'open' },
    );
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toBeInstanceOf(OptimizerError);
    expect(error).toMatchObject({
      name: 'StorageError',
      code: 'STORAGE_NOT_WRITABLE',
      errno: 'EROFS',
      syscall: 'open',
      cause,
    });
    expect(error.message).toBe(`Cannot write /x: read-only. ${error.hint}`);
  });

  it('leaves no placeholder unfilled, whatever values contain', () => {
    const error = fail('UNKNOWN_SETTING', { path: '$&{path}', suggestion: '{suggestion}' });
    expect(error.message).toBe('Unknown setting "$&{path}". {suggestion}');
  });

  it('describes any value on one short line', () => {
    for (const value of [
      undefined,
      null,
      NaN,
      -0,
      1n,
      'a\nb',
      'x'.repeat(500),
      [1, 2],
      {},
      Object.create(null),
      () => 1,
      Symbol('s'),
    ]) {
      expect(describe(value)).toMatch(/^.{1,80}$/);
    }
  });

  it('is documented: docs/errors.md has exactly the codes of the catalogue', () => {
    const documented = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^### ([A-Z_]+)$/gm)].map(
      (match) => match[1],
    );
    expect(documented.toSorted()).toEqual(
      errorCatalogue()
        .map(({ code }) => code)
        .toSorted(),
    );
  });

  it('shows the catalogue’s own words in docs/errors.md', () => {
    const text = readFileSync('docs/errors.md', 'utf8');
    const absent = errorCatalogue().filter(({ message }) => !text.includes(message));
    expect(absent).toEqual([]);
  });
});

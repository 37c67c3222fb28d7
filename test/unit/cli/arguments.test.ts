import { describe, expect, it } from 'vitest';
import { durationMs, httpUrl, integer, nodeFlag, severity } from '../../../dist/cli/arguments.js';

describe('option values', () => {
  it.each([
    ['10', 10_000],
    ['0.5', 500],
    ['500ms', 500],
    ['2m', 120_000],
    ['3 s', 3000],
  ])('reads the time %s as %i ms', (text, ms) => {
    expect(durationMs(100)(text)).toBe(ms);
  });

  it.each(['-5', '0', '', 'ten', '1e9', 'NaN', 'Infinity', '10h', '0x10', '99ms', '5000'])(
    'refuses the time "%s"',
    (text) => {
      expect(() => durationMs(100)(text)).toThrow(/Give a time from 100ms to 3600s/);
    },
  );

  it('takes no time at all where that has a meaning', () => {
    expect(durationMs(0)('0')).toBe(0);
  });

  it.each(['0', '-1', '1.5', '', '1e3', '10001'])('refuses "%s" connections', (text) => {
    expect(() => integer(1, 10_000)(text)).toThrow(/whole number from 1 to 10000/);
  });

  it('takes http and https URLs only', () => {
    expect(httpUrl('http://127.0.0.1:3000/x?y=1')).toBe('http://127.0.0.1:3000/x?y=1');
    for (const text of ['localhost:3000', '/report', 'ftp://x/', 'file:///etc/passwd', '']) {
      expect(() => httpUrl(text)).toThrow(/http or https/);
    }
  });

  it('takes flags that node could take', () => {
    expect(nodeFlag('--max-semi-space-size=64')).toBe('--max-semi-space-size=64');
    for (const text of ['max-semi-space-size', '-x', '--', '--a b', ''])
      expect(() => nodeFlag(text)).toThrow();
  });

  it('takes known severities', () => {
    expect(severity('high')).toBe('high');
    expect(() => severity('huge')).toThrow(/info, low, medium, high, critical/);
  });
});

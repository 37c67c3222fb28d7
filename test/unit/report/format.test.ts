import { describe, expect, it } from 'vitest';
import { commonDirectory, formatGain, formatPlace, formatValue } from '../../../dist/report/format.js';

describe('figures for people', () => {
  it('stand in their unit', () => {
    expect(formatValue(0.934, 'ratio')).toBe('93.4 %');
    expect(formatValue(0, 'ms')).toBe('0 ms');
    expect(formatValue(1536, 'bytes/s')).toBe('1.5 KiB/s');
    expect(formatValue(12, 'requests')).toBe('12 requests');
  });

  it('turn a ratio and its interval into a speed-up', () => {
    expect(formatGain({ ratio: 0.5, interval: [0.4, 0.8] })).toBe('2× (1.25 to 2.5)');
  });

  it('shorten places by what all files share', () => {
    const root = commonDirectory(['/srv/app/a.js', '/srv/app/lib/b.js', 'node:fs']);
    expect(formatPlace({ file: '/srv/app/lib/b.js', line: 7 }, root)).toBe('lib/b.js:7');
    expect(formatPlace({ file: 'node:fs', line: 7 }, root)).toBe('node:fs:7');
    expect(formatPlace({ file: '', line: 4 }, root)).toBe('');
    expect(commonDirectory(['/a/x.js', '/b/y.js'])).toBe('');
  });
});

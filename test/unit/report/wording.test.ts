import { describe, expect, it } from 'vitest';
import { evidenceInWords, formatCount, shortenPaths } from '../../../dist/report/format.js';
import { renderMarkdown } from '../../../dist/report/markdown.js';
import { missingInWords, missingMetrics } from '../../../dist/report/missing.js';
import { unavailable } from '../../../dist/model/metric.js';
import { result } from './sample.js';

describe('paths in text', () => {
  it.each([
    ['read (/srv/app/lib/a.js:3): once', '/srv/app/', 'read (lib/a.js:3): once'],
    ['file:///srv/app/a.js and /srv/app/b.js', '/srv/app/', 'a.js and b.js'],
    ['/mnt/srv/app/a.js stays', '/srv/app/', '/mnt/srv/app/a.js stays'],
    ['/srv/app2/a.js stays', '/srv/app/', '/srv/app2/a.js stays'],
    ['/srv/a+(b)/x.js', '/srv/a+(b)/', 'x.js'],
    ['a / b', '/', 'a / b'],
    ['C:\\app\\a.js:1', 'C:\\app\\', 'a.js:1'],
  ])('%s', (text, root, expected) => {
    expect(shortenPaths(text, root)).toBe(expected);
  });

  it('are shortened in the prose of the Markdown report', () => {
    const [finding] = result.analysis.findings;
    const detail = { ...finding!, title: 'work in /srv/orders-service/lib/customers.js:19' };
    const text = renderMarkdown({
      results: [{ ...result, analysis: { ...result.analysis, findings: [detail] } }],
      profiles: [],
    });
    expect(text).toContain('work in lib/customers.js:19');
    expect(text).not.toContain('/srv/orders-service/');
  });
});

describe('evidence in words', () => {
  const evidence = { metric: 'x', value: 0.3, unit: 'ratio', statement: 'It took 30 % of the time.' };

  it('names the threshold that was passed', () => {
    expect(evidenceInWords({ ...evidence, threshold: 0.25 })).toBe(
      'It took 30 % of the time (threshold 25 %).',
    );
  });

  it('says nothing of a threshold that was not, and of none', () => {
    expect(evidenceInWords({ ...evidence, threshold: 0.35 })).toBe(evidence.statement);
    expect(evidenceInWords(evidence)).toBe(evidence.statement);
  });
});

describe('metrics without a value', () => {
  const noLimit = unavailable('NO_LIMIT', 'No such limit is set.', 'Nothing is missing.');
  const few = unavailable('TOO_FEW_COLLECTIONS', 'Too few collections.', 'Profile for longer.');

  it('are grouped by why', () => {
    const groups = missingMetrics({
      a: noLimit,
      b: few,
      c: noLimit,
      d: { available: true, value: 1, unit: 'ms' },
    });
    expect(groups.map(missingInWords)).toEqual(['a, c: No such limit is set.', 'b: Too few collections.']);
  });

  it('are named to three, or four where one would be left', () => {
    const named = (count: number) =>
      missingInWords({ names: 'abcdefgh'.slice(0, count).split(''), reason: 'R', message: 'm' });
    expect(named(4)).toBe('a, b, c, d: m');
    expect(named(5)).toBe('a, b, c and 2 more: m');
  });
});

it('counts one thing in the singular', () => {
  expect([0, 1, 2].map((count) => formatCount(count, 'result'))).toEqual([
    '0 results',
    '1 result',
    '2 results',
  ]);
  expect(formatCount(1, 'process', 'processes')).toBe('1 process');
});

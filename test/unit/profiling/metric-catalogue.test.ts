import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogued, METRIC_CATALOGUE } from '../../../dist/model/metric-catalogue.js';

describe('docs/metrics.md', () => {
  const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([^`]+)` *\| (.+?) *\| (.+?) *\| (.+?) *\|$/gm)];

  it('defines exactly the metrics of the catalogue, with their units and sources', () => {
    const documented = rows.map(([, name, unit, definition, source]) => ({ name, unit, definition, source }));
    const unescape = (text: string | undefined) => text?.replaceAll('`', '');
    const defined = Object.entries(METRIC_CATALOGUE).map(([name, definition]) => ({ name, ...definition }));
    expect(documented.map((row) => ({ ...row, source: unescape(row.source) }))).toEqual(defined);
  });
});

describe('catalogued', () => {
  it('gives the catalogue’s unit', () => {
    expect(catalogued('heap.used', 5)).toEqual({ available: true, value: 5, unit: 'bytes' });
  });
  it('never lets a figure through that is none', () => {
    expect(catalogued('heap.used', Number.NaN).available).toBe(false);
  });
});

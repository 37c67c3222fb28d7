import { describe, expect, it } from 'vitest';
import { planLayout } from '../../../dist/memory/layout-planner.js';
import { layoutSvg } from '../../../dist/report/layout-drawing.js';
import { layoutPage } from '../../../dist/report/layout-page.js';

const field = (name: string, sizeBytes: number, alignBytes = sizeBytes) => ({ name, sizeBytes, alignBytes });
const plan = planLayout(
  [field('flags', 1), field('id', 8), field('kind', 1), field('buffer', 512, 1), field('last', 8)],
  { hot: ['last'] },
);
const small = planLayout([field('a', 4)]);

/** What is open is closed in order: enough of XML to know that the picture is one. */
function expectBalanced(markup: string): void {
  const open: string[] = [];
  for (const [, close, name, own] of markup.matchAll(/<(\/?)([a-z]\w*)[^>]*?(\/?)>/gi)) {
    if (close === '/') expect(open.pop()).toBe(name);
    else if (own !== '/') open.push(name!);
  }
  expect(open).toEqual([]);
}

/** Widths of the rectangles of each panel, by what they stand for, in bytes. */
function bytesDrawn(svg: string): number[] {
  const scale = 512 / 64;
  return svg
    .split('<g transform="translate(')
    .map((panel) =>
      [...panel.matchAll(/<title>[\s\S]*?width="([\d.]+)"/g)].reduce(
        (sum, [, width]) => sum + Number(width) / scale,
        0,
      ),
    )
    .filter((bytes) => bytes > 0);
}

describe('layoutSvg', () => {
  it('draws every byte of both layouts once, but for the inner lines of long arrays', () => {
    const svg = layoutSvg([{ name: 'connection', plan }]);
    expectBalanced(svg);
    const collapsed = [...svg.matchAll(/>\s*×(\d+)\s*</g)].map(([, lines]) => 64 * (Number(lines) - 1));
    expect(collapsed).toHaveLength(2);
    expect(bytesDrawn(svg)).toEqual([
      plan.declared.sizeBytes - collapsed[0]!,
      plan.sizeBytes - collapsed[1]!,
    ]);
  });

  it('says what was saved, and marks holes, hot and moved fields', () => {
    const svg = layoutSvg([{ name: 'connection', plan }]);
    expect(svg).toMatch(new RegExp(`declared: ${plan.declared.sizeBytes} B`));
    expect(svg).toMatch(/minimal_padding: \d+ B, \d+ B padding \([\d.]+ % saved\)/);
    expect(svg).toContain('class="hole"');
    expect(svg).toMatch(/last: offset \d+, 8 B<\/title>\s*<rect\s+class="field (both|hot)"/);
    for (const name of plan.moved) {
      expect(svg).toMatch(
        new RegExp(`${name}: offset \\d+, \\d+ B</title>\\s*<rect\\s+class="field (moved|both)"`),
      );
    }
  });

  it('counts the lines that it does not draw', () => {
    const many = planLayout(Array.from({ length: 100 }, (_, k) => field(`f${k}`, 64, 8)));
    expect(layoutSvg([{ name: 'many', plan: many }])).toContain('… 36 more lines');
  });

  it('escapes names', () => {
    const odd = planLayout([field('<b>"&', 8)]);
    const svg = layoutSvg([{ name: '</svg><script>', plan: odd }]);
    expect(svg).not.toMatch(/<script|<b>/);
    expectBalanced(svg);
  });
});

describe('layoutPage', () => {
  it('tables all records and draws those that change', () => {
    const page = layoutPage(
      [
        { name: 'connection', plan },
        { name: 'tiny', plan: small },
      ],
      'demo.h',
    );
    expect(page).toContain('1 of 2 records can be smaller');
    expect(page.match(/<svg/g)).toHaveLength(1);
    expect(page).toContain('<code>tiny</code>');
    expect(page).toContain('href="#record-0"');
    expect(page).not.toContain('href="#record-1"');
    expect(page).not.toMatch(/<script|src=|https?:(?!\/\/www\.w3\.org\/2000\/svg)/);
  });

  it('draws all where nothing changes', () => {
    const page = layoutPage([{ name: 'tiny', plan: small }], 'demo.h');
    expect(page).toContain('No record can be smaller than it is.');
    expect(page.match(/<svg/g)).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../../dist/report/html.js';
import { result } from './sample.js';

const page = renderHtml({ results: [result], profiles: [] });

/** The cells of a section's table as text, row by row. */
function rows(id: string, of = page): string[][] {
  const start = of.indexOf(`<section id="${id}"`);
  expect(start).toBeGreaterThan(0);
  const body = /<tbody>([\s\S]*?)<\/tbody>/.exec(of.slice(start, of.indexOf('</section>', start)))![1]!;
  const text = (cell: string) =>
    cell
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
  return [...body.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map((row) =>
    [...row[1]!.matchAll(/<td[^>]*>([\s\S]*?)<\/td>/g)].map((cell) => text(cell[1]!)),
  );
}

describe('operations in the report', () => {
  it('stand by total time, with call site, count and latencies', () => {
    const [first, second] = rows('operations');
    expect(first).toEqual([
      ...['GET prices.internal:8080', 'request sent', 'priceOf lib/prices.js:31', '640', '42 ms', '180 ms'],
      ...['31.5 s', '3', '–', '11'],
    ]);
    expect(second!.slice(0, 4)).toEqual(['fs.readFile', 'file', 'loadTemplate lib/templates.js:9', '1,873']);
  });

  it('are left out of a result that has none', () => {
    const bare = { ...result, activities: [], threads: [], threadProfiles: [] };
    const without = renderHtml({ results: [bare], profiles: [] });
    for (const id of ['operations', 'threads', 'workers']) expect(without).not.toContain(`id="${id}"`);
  });

  it('say how many more there are', () => {
    const many = Array.from({ length: 25 }, () => result.activities![0]!);
    const long = renderHtml({ results: [{ ...result, activities: many }], profiles: [] });
    expect(rows('operations', long)).toHaveLength(20);
    expect(long).toContain('5 more in the stored result.');
  });
});

describe('threads in the report', () => {
  it('stand by the CPU they wanted, as shares of the window', () => {
    const [main, worker, ...others] = rows('threads');
    expect(main).toEqual(['node 4242', 'main thread', '94.1 %', '2.1 %', '3.8 %', '12', '–', '–']);
    expect(worker!.slice(0, 3)).toEqual(['worker 1 4260', 'worker', '25 %']);
    expect(others).toEqual([]);
    expect(page).toContain('1 more slept all the time.');
  });

  it('have no share above 100 %, also where they were watched for longer than the window', () => {
    const long = { tid: 1, name: 'late', onCpuMs: 3000, runnableMs: 9000, blockedMs: 0 };
    const shown = renderHtml({ results: [{ ...result, threads: [long] }], profiles: [] });
    expect(rows('threads', shown)[0]!.slice(2, 5)).toEqual(['25 %', '75 %', '0 %']);
  });

  it('have their hottest functions where they are workers', () => {
    const [first] = rows('workers');
    expect(first!.slice(0, 4)).toEqual([
      'thumbnails workers/thumbnails.js',
      '25 %',
      'resample',
      'workers/thumbnails.js:18',
    ]);
  });

  it('show a worker of which nothing was sampled', () => {
    const idle = { ...result.threadProfiles![0]!, functions: [] };
    const shown = renderHtml({ results: [{ ...result, threadProfiles: [idle] }], profiles: [] });
    expect(rows('workers', shown)[0]).toContain('nothing sampled');
  });
});

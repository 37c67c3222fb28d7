import { expect, it } from 'vitest';
import { printRetainers } from '../../../dist/cli/print-retainers.js';
import { Terminal } from '../../../dist/cli/terminal.js';
import type { Retainer } from '../../../dist/model/signals.js';
import { renderHtml } from '../../../dist/report/html.js';
import { result } from './sample.js';

const retainers: Retainer[] = [
  {
    container: 'Map',
    path: 'sessions',
    bytes: 8 * 2 ** 20,
    objects: 12_000,
    share: 0.9,
    location: { function: 'login', file: '/app/lib/session.js', line: 3, column: 7 },
  },
  { container: '<img src=x>', path: '', bytes: 1024, objects: 1, share: 0.03 },
];

it('what holds new objects stands in the report, with its place', () => {
  const page = renderHtml({ results: [{ ...result, retainers }], profiles: [] });
  const section = /<section id="retainers"[\s\S]*?<\/section>/.exec(page)![0];
  for (const text of [
    'sessions',
    'session.js:3',
    '8 MiB',
    '12,000',
    '90 %',
    '(no name)',
    '&lt;img src=x&gt;',
  ]) {
    expect(section).toContain(text);
  }
  expect(renderHtml({ results: [result], profiles: [] })).not.toContain('id="retainers"');
});

it('what holds new objects is printed, with places as the caller writes them', () => {
  let text = '';
  const out = { columns: 120, write: (piece: string) => (text += piece) };
  const terminal = new Terminal({ json: false, out, err: out, env: {} });
  printRetainers(terminal, {}, String);
  expect(text).toBe('');
  printRetainers(terminal, { retainers }, (place) => place.replace('/app/', ''));
  expect(text).toMatch(/sessions +8 MiB +90 % +12,000 +Map +lib\/session\.js:3/);
  expect(text).toContain('(no name)');
});

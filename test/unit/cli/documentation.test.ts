import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../dist/cli/exit-code.js';
import { buildProgram } from '../../../dist/cli/program.js';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
const COMMON = ['--json', '--storage', '--help'];

function sectionOf(verb: string): string {
  const start = page.indexOf(`\n## ${verb}\n`);
  expect(start).toBeGreaterThan(0);
  const end = page.indexOf('\n## ', start + 4);
  return page.slice(start, end);
}

describe('docs/cli.md', () => {
  const verbs = buildProgram().commands.map((command) => [command.name(), command] as const);

  it.each(verbs)('describes every option of %s, and none that it has not', (name, command) => {
    const section = sectionOf(name);
    const known = command.options.map((option) => option.long!);
    for (const option of known.filter((long) => !COMMON.includes(long))) expect(section).toContain(option);
    const documented = [...section.matchAll(/`(?:-\w, )?(--[a-z-]+)[^`]*`/g)].map((match) => match[1]!);
    for (const option of documented) expect([...known, '--url']).toContain(option);
  });

  it('lists every exit code', () => {
    const table = page.slice(page.indexOf('| exit code'));
    const codes = [...table.matchAll(/^\| (\d+) +\|/gm)].map((match) => Number(match[1]));
    expect(codes).toEqual(Object.values(EXIT));
  });

  it('has a section for each verb that there is', () => {
    expect(verbs.map(([name]) => name)).toEqual([
      'profile',
      'optimize',
      'stats',
      'report',
      'doctor',
      'bench',
      'test-cause',
      'layout',
      'worker',
    ]);
  });
});

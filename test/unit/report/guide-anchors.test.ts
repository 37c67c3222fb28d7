import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CODE_ADVICE } from '../../../dist/analysis/advice.js';
import { guideOnDisk } from '../../../dist/cli/guide-path.js';

const root = resolve(import.meta.dirname, '../../..');

/** The anchors that a Markdown page offers, as renderers make them from headings. */
function anchorsOf(page: string): string[] {
  const prose = readFileSync(resolve(root, page), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('the guide that advice points to', () => {
  it.each(Object.entries(CODE_ADVICE).map(([cause, { guide }]) => [cause, guide] as const))(
    'has a section for %s',
    (_, guide) => {
      const [page = '', anchor] = guide.split('#');
      expect(anchorsOf(page)).toContain(anchor);
    },
  );

  it('is named by a path that exists, from wherever the command is run', () => {
    for (const cwd of [root, '/', resolve(root, '..')]) {
      const [path = ''] = guideOnDisk('docs/guide-causes.md#heap-leak', cwd).split('#');
      expect(existsSync(resolve(cwd, path))).toBe(true);
    }
  });
});

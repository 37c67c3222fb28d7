import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = resolve(import.meta.dirname, '../../src');
const root = resolve(src, '..');

/** Layer of each room; a file may import from a lower layer or from its own room. */
const LAYERS: Record<string, number> = {
  'units.ts': 1,
  'errors.ts': 1,
  'options.ts': 1,
  'timers.ts': 1,
  'events.ts': 1,
  model: 1,
  settings: 1,
  native: 2,
  host: 2,
  counters: 2,
  validation: 2,
  memory: 3,
  threads: 3,
  profiling: 3,
  computation: 4,
  analysis: 4,
  storage: 5,
  report: 5,
  facade: 6,
  'system-optimizer.ts': 6,
  'index.ts': 6,
  cli: 7,
  integration: 7,
};
/** Rooms of one layer that build on each other; all others of one layer are strangers. */
const WITHIN_LAYER = new Set(['1', '2', '6', '7']);

function sourceFiles(folder: string, endings: string[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => join(entry.parentPath, entry.name));
}

function roomOf(file: string): string {
  return relative(src, file).split('/')[0]!;
}

/** Relative imports of a file, static and dynamic, as absolute paths. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    resolve(dirname(file), match[1]!.replace(/\.js$/, '.ts')),
  );
}

describe('the house', () => {
  const files = sourceFiles(src, ['.ts']);

  it('gives every room a layer', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in LAYERS))).toEqual([]);
  });

  it('imports downward only', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith(src))
        .filter((target) => {
          const [from, to] = [roomOf(file), roomOf(target)];
          if (from === to) return false;
          const [own, other] = [LAYERS[from]!, LAYERS[to] ?? 0];
          return other > own || (other === own && !WITHIN_LAYER.has(String(own)));
        })
        .map((target) => `${relative(root, file)} imports ${relative(root, target)}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps analysis to the model', () => {
    const wrong = files
      .filter((file) => roomOf(file) === 'analysis')
      .flatMap((file) => importsOf(file).map((target) => [file, roomOf(target)] as const))
      .filter(([, room]) => LAYERS[room] !== 1 && room !== 'analysis');
    expect(wrong).toEqual([]);
  });

  it('keeps napi.h inside native/binding', () => {
    const wrong = sourceFiles(join(root, 'native/core'), ['.cc', '.h']).filter((file) =>
      /#include\s*[<"](?:napi|node_api)\.h/.test(readFileSync(file, 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps platform macros inside native/core/os', () => {
    const wrong = [
      ...sourceFiles(join(root, 'native/core'), ['.cc', '.h']),
      ...sourceFiles(join(root, 'native/binding'), ['.cc', '.h']),
    ]
      .filter((file) => !file.includes('/core/os/'))
      .filter((file) =>
        /#\s*(?:if|elif|ifdef|ifndef)\b.*\b(?:__linux__|__APPLE__|_WIN32)\b/.test(readFileSync(file, 'utf8')),
      );
    expect(wrong).toEqual([]);
  });
});

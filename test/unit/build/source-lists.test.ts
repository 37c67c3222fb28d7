import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const gyp = readFileSync(join(root, 'binding.gyp'), 'utf8');
const cmake = readFileSync(join(root, 'CMakeLists.txt'), 'utf8');

const sourcesIn = (text: string) =>
  [...text.matchAll(/native\/(?:core|binding)\/[\w/.-]+\.cc/g)].map(([path]) => path);

/** The sources of one `set(NAME …)` of CMakeLists.txt. */
function cmakeSet(name: string): string[] {
  return [...cmake.matchAll(new RegExp(`set\\(${name}\\s([^)]*)\\)`, 'g'))].flatMap(([, body]) =>
    sourcesIn(body!),
  );
}

/** The sources of binding.gyp's main list, or those of one operating system. */
function gypSources(os?: string): string[] {
  if (os === undefined) return sourcesIn(gyp.slice(0, gyp.indexOf('"conditions"')));
  const start = gyp.indexOf(`OS=='${os}'`);
  return sourcesIn(/"sources": \[([^\]]*)\]/.exec(gyp.slice(start))?.[1] ?? '');
}

describe('the source lists of the two build files', () => {
  it('are equal', () => {
    const ours = [...cmakeSet('SYSOPT_CORE_SOURCES'), ...cmakeSet('SYSOPT_BINDING_SOURCES')];
    expect(ours.length).toBeGreaterThan(10);
    expect(gypSources().sort()).toEqual(ours.sort());
  });

  it('are equal for each operating system', () => {
    const systems = [...cmake.matchAll(/set\(SYSOPT_OS_SOURCES ([^)]*)\)/g)].map(([, body]) =>
      sourcesIn(body!),
    );
    expect(systems).toEqual([gypSources('win'), gypSources('mac'), gypSources('linux')]);
  });

  it('name every source file there is, but for the scripted kernel of the tests', () => {
    const files = ['native/core', 'native/binding'].flatMap((folder) =>
      (readdirSync(join(root, folder), { recursive: true }) as string[])
        .filter((name) => name.endsWith('.cc'))
        .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
    );
    const listed = new Set([...sourcesIn(gyp), 'native/core/os/fake.cc']);
    expect(files.filter((file) => !listed.has(file))).toEqual([]);
    expect([...listed].filter((file) => !files.includes(file))).toEqual([]);
  });
});

describe('the layers of the native code', () => {
  const read = (folder: string) =>
    (readdirSync(join(root, folder), { recursive: true }) as string[])
      .filter((name) => /\.(cc|h)$/.test(name))
      .map((name) => ({ name: `${folder}/${name}`, text: readFileSync(join(root, folder, name), 'utf8') }));

  it('keep JavaScript out of the core', () => {
    const guilty = read('native/core').filter(({ text }) => /napi|node_api|v8\.h|uv\.h/.test(text));
    expect(guilty.map(({ name }) => name)).toEqual([]);
  });

  it('keep platforms inside os/', () => {
    const outside = [...read('native/core'), ...read('native/binding')].filter(
      ({ name }) => !name.includes('/os/'),
    );
    const guilty = outside.filter(({ text }) =>
      /#\s*if.*(__linux__|__APPLE__|_WIN32|__unix__)|#include <(sys\/|linux\/|unistd|windows|pthread|sched\.h)/.test(
        text,
      ),
    );
    expect(outside.length).toBeGreaterThan(10);
    expect(guilty.map(({ name }) => name)).toEqual([]);
  });
});

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, freePort, runCli, scratch } from '../fixtures/cli/run-cli.js';

describe('a wrong call', () => {
  it.each([
    [['profil'], 'Did you mean profile?'],
    [['profile', '--duraton', '5', '--', 'node', 'x.js'], 'Did you mean --duration?'],
    [['profile', '--duration', '-5', '--', 'node', 'x.js'], 'Give a time from 100ms'],
    [['profile', '--type', 'cup', '--', 'node', 'x.js'], 'cpu, memory'],
    [['profile', '--url', 'localhost:3000', '--', 'node', 'x.js'], 'http or https URL'],
    [['profile', '--connections', '0', '--', 'node', 'x.js'], 'whole number'],
    [['profile', 'node', '--inspect', 'x.js'], 'after `--`'],
    [['profile'], 'sysopt profile -- node app.js'],
    [['optimize', '--try-flag', '--max-semi-space-size=64'], '--url'],
    [['optimize', '--try-env', 'UV_THREADPOOL_SIZE=8'], '--url'],
    [['optimize', '--try-env', 'UV_THREADPOOL_SIZE'], 'UV_THREADPOOL_SIZE=8'],
    [['optimize', '--try-env', 'A=1', '--try-flag', '--a'], 'exclude each other'],
    [['optimize', '--', 'node', 'x.js'], 'sysopt profile'],
    [['optimize', '--try-flag', '--a', '--recommendation', 'r-1'], 'exclude each other'],
    [['stats', '--type', 'speed'], 'memory, computation, thread'],
    [['report', '--storage', '.', '--format', 'collapsed', '--against', 'cpu-1'], '--format'],
  ])('%j exits with 2 and says what to do', async (args, hint) => {
    using folder = scratch();
    const { code, stdout, stderr } = await runCli(args, {}, folder.path);
    expect(code).toBe(2);
    expect(stderr).toContain('error: ');
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe('');
    expect(existsSync(join(folder.path, 'data'))).toBe(false);
  });

  it('is a JSON document too', async () => {
    const { code, json } = await runCli(['profile', '--json', '--duration', 'soon', '--', 'node', 'x.js']);
    expect(code).toBe(2);
    expect(json.error.code).toBe('USAGE');
    expect(json.error.message).toContain("'soon'");
    expect(json.error.hint).toContain('--help');
  });

  it('takes --json after -- for the program’s own', async () => {
    using folder = scratch();
    const { stdout } = await runCli(['profile', '--storage', folder.path, '--', 'nosuchprogram', '--json']);
    expect(stdout).toBe('');
  });
});

describe('a program that cannot be profiled', () => {
  it('does not exist', async () => {
    using folder = scratch();
    const { code, json } = await runCli([
      'profile',
      '--json',
      '--storage',
      folder.path,
      '--',
      'nosuchprogram',
    ]);
    expect(code).toBe(3);
    expect(json.error.code).toBe('TARGET_NOT_FOUND');
    expect(json.error.message).toContain('nosuchprogram');
  });

  it('exits early: its exit code and last output are shown', async () => {
    using folder = scratch();
    const { code, json, stderr } = await runCli([
      'profile',
      '--json',
      '--storage',
      folder.path,
      '--',
      process.execPath,
      fixture('exits-early.js'),
    ]);
    expect(code).toBe(3);
    expect(json.error.code).toBe('TARGET_EXITED');
    expect(json.error.message).toContain('exit code 7');
    expect(json.error.hint).toContain('colour is not set');
    expect(stderr).toContain('│ cannot read configuration');
    // People have seen it live; the error does not repeat it.
    expect(stderr.split('cannot read configuration')).toHaveLength(2);
  });

  it('never answers at the URL', async () => {
    using folder = scratch();
    const url = `http://127.0.0.1:${await freePort()}/`;
    const { code, json } = await runCli([
      'profile',
      '--json',
      '--storage',
      folder.path,
      '--ready-timeout',
      '1',
      '--url',
      url,
      '--',
      process.execPath,
      fixture('ignores-sigterm.js'),
    ]);
    expect(code).toBe(3);
    expect(json.error.code).toBe('URL_NOT_ANSWERING');
    expect(json.error.message).toContain(url);
    expect(json.error.hint).toContain('--ready-timeout');
  });

  it('is no Node program', async () => {
    using folder = scratch();
    const { code, json } = await runCli([
      'profile',
      '--json',
      '--storage',
      folder.path,
      '--ready-timeout',
      '500ms',
      '--',
      'sleep',
      '30',
    ]);
    expect(code).toBe(3);
    expect(json.error.code).toBe('TARGET_NO_AGENT');
  });
});

describe('a load that cannot be driven', () => {
  const profile = (folder: string, load: string, ...more: string[]) =>
    runCli(['profile', '--json', '--storage', folder, '--load', load, ...more, '--', 'nosuchprogram']);

  it.each([
    ['missing', undefined],
    ['no JSON', '[{'],
    ['no list', '"/orders"'],
    ['without a request', '[]'],
    ['with an unknown field', '[{ "paht": "/orders" }]'],
  ])('%s', async (_, content) => {
    using folder = scratch();
    const file = join(folder.path, 'load.json');
    if (content !== undefined) writeFileSync(file, content);
    const { code, json } = await profile(folder.path, file, '--url', 'http://127.0.0.1:9/');
    expect(json.error.code).toBe('USAGE');
    expect(code).toBe(2);
    expect(json.error.message).toContain('load.json');
    expect(json.error.hint).toContain('"path"');
  });

  it('needs a URL', async () => {
    using folder = scratch();
    const { code, json } = await profile(folder.path, 'load.json');
    expect(code).toBe(2);
    expect(json.error.message).toContain('--url');
  });
});

describe('a store that cannot be used', () => {
  it('stops a profile before the program is started', async () => {
    using folder = scratch();
    const file = join(folder.path, 'file');
    const touched = join(folder.path, 'pids');
    writeFileSync(file, 'precious');
    for (const storage of [file, join(file, 'below')]) {
      const { code, json } = await runCli(
        ['profile', '--json', '--storage', storage, '--', process.execPath, fixture('ignores-sigterm.js')],
        { PID_FILE: touched },
      );
      expect(code).toBe(4);
      expect(json.error.code).toBe('STORAGE_NOT_A_DIRECTORY');
      expect(json.error.hint).toContain('--storage');
    }
    expect(existsSync(touched)).toBe(false);
  });

  it.each(['stats', 'report'])('stops %s', async (verb) => {
    using folder = scratch();
    const file = join(folder.path, 'file');
    writeFileSync(file, 'precious');
    const { code, json } = await runCli([verb, '--json', '--storage', file]);
    expect(code).toBe(4);
    expect(json.error.code).toBe('STORAGE_NOT_A_DIRECTORY');
  });

  it('with a corrupt configuration is named before anything is measured', async () => {
    using folder = scratch();
    writeFileSync(join(folder.path, 'config.json'), '{ "half": ');
    const { code, json } = await runCli(['optimize', '--json', '--storage', folder.path]);
    expect(code).toBe(4);
    expect(json.error.code).toBe('DOCUMENT_CORRUPT');
    expect(json.error.message).toContain('config.json');
  });
});

describe('subjects that cannot be loaded', () => {
  const optimize = (folder: string, file: string) =>
    runCli(['optimize', '--json', '--storage', join(folder, 'store'), '--subjects', file]);

  it.each([
    ['broken.js', 'export default (', 'Unexpected'],
    ['throws.js', 'export default () => { throw new Error("no database"); };', 'no database'],
    ['empty.js', 'export const answer = 42;', 'no subject'],
  ])('%s', async (name, source, reason) => {
    using folder = scratch();
    const file = join(folder.path, name);
    writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
    writeFileSync(file, source);
    const { code, json } = await optimize(folder.path, file);
    expect(code).toBe(3);
    expect(json.error.code).toBe('SUBJECT_UNLOADABLE');
    expect(json.error.message).toContain(name);
    expect(json.error.message).toContain(reason);
  });

  it('a file that does not exist is a wrong call, as everywhere', async () => {
    using folder = scratch();
    const file = join(folder.path, 'missing.js');
    const { code, json } = await optimize(folder.path, file);
    expect(code).toBe(2);
    expect(json.error).toMatchObject({ code: 'USAGE', message: `There is no file ${file}.` });
  });

  it('imports a package that is not installed there: the hint installs it', async () => {
    using folder = scratch();
    const file = join(folder.path, 'subjects.mjs');
    writeFileSync(file, "import { struct } from 'system-optimizer';\nexport default () => struct;\n");
    const { code, json } = await optimize(folder.path, file);
    expect(code).toBe(3);
    expect(json.error.hint).toMatch(/cd .* && npm install system-optimizer$/);
  });
});

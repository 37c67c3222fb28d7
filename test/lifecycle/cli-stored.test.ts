import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../dist/storage/store.js';
import { runCli, scratch } from '../fixtures/cli/run-cli.js';
import { profile, profiles, result } from '../unit/report/sample.js';

async function filledStore(path: string): Promise<void> {
  const store = openStore(path);
  await store.saveResult(result);
  for (const each of profiles) await store.saveProfile(each);
  await store.close();
}

describe('sysopt stats', () => {
  it('tells totals and gains of what earlier processes stored', async () => {
    using folder = scratch();
    await filledStore(folder.path);
    const { code, json } = await runCli(['stats', '--json', '--storage', folder.path]);
    expect(code).toBe(0);
    expect(json.stats.total).toBe(6);
    expect(json.stats.referenceRuns).toBe(1);
    expect(json.stats.gains.count).toBe(2);
    expect(json.results).toHaveLength(1);
    expect(json.recommendations).toHaveLength(2);
  });

  it('filters by type', async () => {
    using folder = scratch();
    await filledStore(folder.path);
    const { json, stdout } = await runCli(['stats', '--json', '--type', 'thread', '--storage', folder.path]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(json.stats.total).toBe(1);
    expect(json.profiles.map((entry: any) => entry.type)).toEqual(['thread']);
  });

  it('lists for people', async () => {
    using folder = scratch();
    await filledStore(folder.path);
    const { stdout } = await runCli(['stats', '--storage', folder.path]);
    expect(stdout).toContain('struct Order');
    expect(stdout).toContain('no improvement');
    expect(stdout).toContain('1.43×');
    expect(stdout).toContain(result.id);
  });

  it('says that there is no store, which is no error, and makes none', async () => {
    using folder = scratch();
    const storage = join(folder.path, 'nothing');
    const { code, json, stderr } = await runCli(['stats', '--json', '--storage', storage]);
    expect(code).toBe(0);
    expect(json.stats.total).toBe(0);
    expect(stderr).toContain('There is no store at');
    expect(existsSync(storage)).toBe(false);
  });

  it('makes no store for a report of nothing', async () => {
    using folder = scratch();
    const storage = join(folder.path, 'nothing');
    const { code, stderr } = await runCli(['report', '--storage', storage]);
    expect(code).toBe(2);
    expect(stderr).toContain('There is no store at');
    expect(existsSync(storage)).toBe(false);
    expect((await runCli(['report', '--storage', storage, '--out', '-'])).code).toBe(0);
  });

  it('names a corrupt document and counts the others', async () => {
    using folder = scratch();
    await filledStore(folder.path);
    writeFileSync(join(folder.path, 'profiles', `${profiles[0]!.id}.json`), '{ "torn": ');
    const { code, json, stderr } = await runCli(['stats', '--json', '--storage', folder.path]);
    expect(code).toBe(0);
    expect(json.stats.total).toBe(5);
    expect(stderr).toContain(`${profiles[0]!.id}.json`);
  });
});

describe('sysopt optimize --recommendation', () => {
  const carryOut = async (folder: string, number: number) => {
    await filledStore(folder);
    const { id } = result.recommendations[number]!;
    return runCli(['optimize', '--json', '--recommendation', id, '--storage', folder]);
  };

  it('says what to run for a Node flag', async () => {
    using folder = scratch();
    const { code, json } = await carryOut(folder.path, 1);
    expect(code).toBe(2);
    expect(json.error.hint).toBe(
      `Run: sysopt optimize --recommendation ${result.recommendations[1]!.id} --url URL -- node app.js`,
    );
  });

  it('says once what a person is to change', async () => {
    using folder = scratch();
    const { code, json, stderr } = await carryOut(folder.path, 0);
    expect(code).toBe(2);
    expect(json.error.code).toBe('NOTHING_TO_APPLY');
    expect(stderr.split('Build an index once')).toHaveLength(2);
  });
});

describe('sysopt report', () => {
  it('writes one HTML file into the store', async () => {
    using folder = scratch();
    await filledStore(folder.path);
    const { code, json } = await runCli(['report', '--json', '--storage', folder.path]);
    expect(code).toBe(0);
    expect(json.file).toBe(join(folder.path, 'report.html'));
    expect(json.results).toEqual([result.id]);
    const page = readFileSync(json.file as string, 'utf8');
    expect(page).toContain('findCustomer searches a list linearly');
    expect(page).toContain('struct Order');
    expect(page).toContain('<section id="timeline"');
  });

  it('shows the newest optimisation of each subject', async () => {
    using folder = scratch();
    await filledStore(folder.path);
    const store = openStore(folder.path);
    await store.saveProfile(
      profile({
        id: 'memory-01890f3e-zzzz',
        createdAt: '2026-03-03T00:00:00.000Z',
        status: 'no_improvement',
        choice: null,
      }),
    );
    await store.close();
    const { json } = await runCli(['report', '--json', '--storage', folder.path]);
    expect(json.profiles).toContain('memory-01890f3e-zzzz');
    expect(json.profiles).not.toContain(profiles[0]!.id);
    expect(json.profiles).toHaveLength(profiles.length);
  });

  it('writes Markdown to standard output for a job summary', async () => {
    using folder = scratch();
    await filledStore(folder.path);
    const { code, stdout } = await runCli([
      'report',
      '--format',
      'markdown',
      '--out',
      '-',
      '--storage',
      folder.path,
    ]);
    expect(code).toBe(0);
    expect(stdout.startsWith('## CPU profile of `node app.js`')).toBe(true);
    expect(existsSync(join(folder.path, 'report.md'))).toBe(false);
  });

  it('shows the result that is asked for, and refuses one that is not there', async () => {
    using folder = scratch();
    await filledStore(folder.path);
    const out = join(folder.path, 'deep', 'page.html');
    const found = await runCli([
      'report',
      '--json',
      '--result',
      result.id,
      '--out',
      out,
      '--storage',
      folder.path,
    ]);
    expect(found.code).toBe(0);
    expect(existsSync(out)).toBe(true);
    const missing = await runCli([
      'report',
      '--json',
      '--result',
      'cpu-01890f3e-0000',
      '--storage',
      folder.path,
    ]);
    expect(missing.code).toBe(2);
    expect(missing.json.error.code).toBe('UNKNOWN_ID');
    const path = await runCli(['report', '--json', '--result', '../../etc/passwd', '--storage', folder.path]);
    expect(path.code).toBe(2);
    expect(path.json.error.code).toBe('INVALID_ARGUMENT');
  });

  it('leaves a corrupt document out and says so', async () => {
    using folder = scratch();
    await filledStore(folder.path);
    writeFileSync(join(folder.path, 'profiles', `${profiles[1]!.id}.json`), 'null');
    const { code, json, stderr } = await runCli(['report', '--json', '--storage', folder.path]);
    expect(code).toBe(0);
    expect(stderr).toContain(`${profiles[1]!.id}.json`);
    expect(json.profiles).toHaveLength(profiles.length - 1);
  });

  it('cannot write where there is no folder to write to', async () => {
    using folder = scratch();
    await filledStore(folder.path);
    const out = join(folder.path, 'index.json', 'report.html');
    const { code, json } = await runCli(['report', '--json', '--out', out, '--storage', folder.path]);
    expect(code).toBe(4);
    expect(json.error.code).toBe('OUTPUT_NOT_WRITABLE');
    expect(json.error.hint).toContain('--out');
    expect(json.error.hint).not.toContain('storagePath');
  });
});

describe('sysopt doctor', () => {
  it('gives a reason and a remedy for whatever is missing', async () => {
    const { code, json, stdout } = await runCli(['doctor', '--json'], { SYSOPT_NATIVE: 'fallback' });
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const missing = json.checks.filter((check: any) => check.state === 'missing');
    expect(missing.map((check: any) => check.name)).toContain('native addon');
    for (const check of missing) {
      expect(check.reason).toMatch(/^[A-Z_]+$/);
      expect(check.message.length).toBeGreaterThan(10);
      expect(check.remedy.length).toBeGreaterThan(3);
    }
  });

  it('points at what would distort measurements', async () => {
    const { json } = await runCli(['doctor', '--json'], { NODE_OPTIONS: '--max-semi-space-size=1' });
    const check = json.checks.find((each: any) => each.name === 'NODE_OPTIONS');
    expect(check.state).toBe('attention');
    expect(check.message).toContain('--max-semi-space-size=1');
  });
});

describe('sysopt', () => {
  it('knows its version and helps', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      version: string;
    };
    expect((await runCli(['--version'])).stdout.trim()).toBe(version);
    for (const args of [[], ['--help'], ['help', 'profile'], ['profile', '--help']]) {
      const { code, stdout, stderr } = await runCli(args);
      expect(code).toBe(0);
      expect(stdout).toContain('Examples:');
      expect(stderr).toBe('');
    }
  });
});

describe('sysopt report for other tools', () => {
  const write = (folder: string, ...flags: string[]) =>
    runCli(['report', '--json', '--storage', folder, ...flags]);

  it.each([
    ['cpuprofile', '.cpuprofile', '{"nodes":'],
    ['pprof', '.pb.gz', '\u001f'],
    ['collapsed', '.collapsed.txt', '(other) '],
  ])('writes %s, named after the result', async (format, ending, beginning) => {
    using folder = scratch();
    await filledStore(folder.path);
    const { code, json } = await write(folder.path, '--format', format);
    expect(code).toBe(0);
    expect(json.file).toBe(join(folder.path, `${result.id}${ending}`));
    expect(readFileSync(json.file, 'latin1').startsWith(beginning)).toBe(true);
  });

  it('says what a format cannot hold, and what can', async () => {
    using folder = scratch();
    const store = openStore(folder.path);
    const id = 'memory-01890f3e-7c2a-7b10-9d3e-1f2a3b4c5d6e';
    await store.saveResult({ ...result, id, type: 'memory' });
    await store.close();
    const named = await write(folder.path, '--format', 'cpuprofile', '--result', id);
    expect(named.code).toBe(2);
    expect(named.json.error.hint).toContain('--format pprof');
    const newest = await write(folder.path, '--format', 'cpuprofile');
    expect(newest.code).toBe(2);
    expect(newest.json.error.hint).toContain('sysopt profile');
    const binary = await write(folder.path, '--format', 'pprof', '--out', '-');
    expect(binary.code).toBe(2);
    expect(binary.json.error.hint).toContain('--out');
  });
});

/** A service that profiles itself and exits in the middle of it: what was gathered is in the store. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type ProfilingResult } from '../../dist/index.js';

const index = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sysopt-exit-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const store = () => join(folder, 'store');

/** Runs a program with an optimizer, a function `work` that computes, and `later` to act after a while. */
async function run(program: string, kill?: NodeJS.Signals) {
  const file = join(folder, 'service.mjs');
  writeFileSync(
    file,
    `import { measured, SystemOptimizer } from ${JSON.stringify(index)};
    const optimizer = new SystemOptimizer({ storagePath: ${JSON.stringify(store())} });
    function work(forMs = 25) {
      const end = performance.now() + forMs;
      let sum = 0;
      while (performance.now() < end) for (let i = 0; i < 1e4; i += 1) sum += Math.sqrt(i);
      return sum;
    }
    const later = (ms, act) => setTimeout(act, ms);
    /** After \`ms\` of a run: on a busy machine it takes a second to begin. */
    const within = (ms, act) => optimizer.once('progress', () => later(ms, act));
    ${program}`,
  );
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (kill !== undefined && output.includes('under way')) child.kill(kill);
    });
  }
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('close', (...how) => resolve(how)),
  );
  return { code, signal, output };
}

async function stored(): Promise<ProfilingResult[]> {
  const results = openStore(store());
  return Promise.all(results.list({ kind: 'result' }).map(({ id }) => results.getResult(id)));
}

describe('a service that exits in the middle of', () => {
  it('a profile leaves it diagnosed, with its own rules and figures, and marked as cut short', async () => {
    const { code, output } = await run(`
      setInterval(work, 30);
      optimizer.pool({ name: 'packets', slotBytes: 64, slots: 8 }).acquire();
      optimizer.addSampler({
        name: 'jobs', start() {}, stop: ({ metrics }) => void (metrics['app.jobs'] = measured(7, 'count')),
      });
      optimizer.addRule({
        name: 'jobs', cause: 'backpressure-ignored',
        evaluate: (view) => ({ findings: [{ cause: 'backpressure-ignored', severity: 'high', confidence: 1, impact: 1,
          title: \`\${view.value('app.jobs')} jobs\`, evidence: [] }] }),
      });
      void optimizer.profileSystem({ type: 'cpu', durationMs: 60_000 });
      within(600, () => process.exit(3));`);
    expect({ code, output }).toEqual({ code: 3, output: '' });
    const [result, ...more] = await stored();
    expect(more).toEqual([]);
    expect(result!.warnings[0]).toMatch(/ended \d+ ms into a window of 60000 ms/);
    expect(result!.durationMs).toBeLessThan(60_000);
    expect(result!.functions.map(({ location }) => location.function)).toContain('work');
    expect(result!.analysis.findings[0]!.title).toBe('7 jobs');
    expect(result!.metrics['app.jobs']).toMatchObject({ value: 7 });
    expect(result!.timeline.length).toBeGreaterThan(3);
    const pools = Object.keys(result!.metrics).filter((name) => name.includes('packets'));
    expect(pools.length).toBeGreaterThan(0);
    expect(result!.recommendations.length).toBeGreaterThan(0);
    // Whole files only.
    const names = readdirSync(store(), { recursive: true }).map(String);
    expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('a memory profile leaves it', async () => {
    const { code } = await run(`
      const kept = [];
      setInterval(() => kept.push(new Array(1e4).fill(kept.length)), 20);
      void optimizer.profileSystem({ type: 'memory', durationMs: 60_000 });
      within(600, () => process.exit(0));`);
    expect(code).toBe(0);
    expect((await stored()).map(({ type, warnings }) => [type, /ended/.test(warnings[0]!)])).toEqual([
      ['memory', true],
    ]);
  });

  it.each([
    ['by a handler of a signal', "process.on('SIGTERM', () => process.exit(5));", 5, 'SIGTERM'],
    ['of an error that nobody catches', "within(100, () => { throw new Error('lost'); });", 1, undefined],
  ] as const)('a profile, %s, leaves it', async (_how, how, code, kill) => {
    const ended = await run(
      `setInterval(work, 30);
      void optimizer.profileSystem({ type: 'cpu', durationMs: 60_000 });
      within(100, () => console.log('under way'));
      ${how}`,
      kill,
    );
    expect(ended.code).toBe(code);
    expect((await stored())[0]!.warnings[0]).toMatch(/ended \d+ ms into a window/);
  });

  it('nothing leaves nothing: the hook is gone with its profile, and what was aborted is not kept', async () => {
    const { output } = await run(`
      const hooks = process.listenerCount('exit');
      await optimizer.profileSystem({ type: 'cpu', durationMs: 100 });
      const abort = new AbortController();
      const aborted = optimizer.profileSystem({ type: 'cpu', durationMs: 60_000, signal: abort.signal });
      later(300, () => abort.abort());
      await aborted.catch(({ code }) => console.log(code));
      console.log(process.listenerCount('exit') - hooks);
      void optimizer.profileSystem({ type: 'cpu', durationMs: 60_000 }).catch(({ code }) => console.log(code));
      await new Promise((resolve) => later(300, resolve));
      await optimizer.close();
      process.exit(0);`);
    expect(output.trim().split('\n')).toEqual(['ABORTED', '0', 'ABORTED']);
    const results = await stored();
    expect(results).toHaveLength(1);
    expect(results[0]!.warnings.join()).not.toContain('ended');
  });

  it('a profile that its monitor takes leaves it, also where nothing is left to do', async () => {
    const { code, output } = await run(`
      await optimizer.monitor({ intervalMs: 20, anomalies: { loopDelayMs: 50, profileMs: 10_000 } });
      let turns = 0;
      const timer = setInterval(() => (work(150), (turns += 1) === 70 && clearInterval(timer)), 200);`);
    expect({ code, output }).toEqual({ code: 0, output: '' });
    const [result, ...more] = await stored();
    expect(more).toEqual([]);
    expect(result!.trigger).toMatchObject({ kind: 'loop-delay' });
    // As one that ends by itself: with V8's own profile, for other tools.
    const raw = await openStore(store()).rawProfile(result!.id, 'cpuprofile');
    expect(JSON.parse(raw!)).toMatchObject({ nodes: expect.any(Array), samples: expect.any(Array) });
    expect(result!.warnings[0]).toMatch(/ended \d+ ms into a window of 10000 ms/);
    expect(result!.functions.map(({ location }) => location.function)).toContain('work');
  });

  it.each([
    ['before anything is written', 'before', '/recommendations/'],
    ['before the analysis', 'before', '/analysis/'],
    ['before the result itself', 'before', '/results/'],
    ['after it, before the index', 'after', '/results/'],
    ['at the index', 'before', 'index.json'],
    ['after the index', 'after', 'index.json'],
  ])('storing, %s, leaves one whole result', async (_moment, when, what) => {
    const { code, output } = await run(`
      const { default: fs } = await import('node:fs/promises');
      const { rename } = fs;
      fs.rename = async (from, to) => {
        const isIt = to.includes(${JSON.stringify(what)});
        if (isIt && ${when === 'before'}) process.exit(6);
        await rename(from, to);
        if (isIt) process.exit(6);
      };
      setInterval(work, 30);
      void optimizer.profileSystem({ type: 'cpu', durationMs: 1_000 });`);
    expect({ code, output }).toEqual({ code: 6, output: '' });
    const [result, ...more] = await stored();
    expect(more).toEqual([]);
    expect(result!.warnings.join()).not.toContain('ended');
    const times = result!.timeline.map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThan(3);
    expect(new Set(times).size).toBe(times.length);
    const names = (kind: string) => readdirSync(join(store(), kind)).filter((name) => name.endsWith('.json'));
    expect(names('recommendations').sort()).toEqual(
      result!.recommendations.map(({ id }) => `${id}.json`).sort(),
    );
    expect(names('recommendations').length).toBeGreaterThan(0);
    expect(names('analysis')).toEqual([`${result!.id}.json`]);
  });

  it('storing, in the middle of its points, has each of them once', async () => {
    const { code } = await run(`
      const { default: fs } = await import('node:fs/promises');
      const { open } = fs;
      fs.open = async (path, ...more) => {
        const file = await open(path, ...more);
        if (!path.endsWith('.ndjson')) return file;
        // The write is in libuv's pool: it and the exit hook's own may both reach the disk.
        const append = file.appendFile.bind(file);
        file.appendFile = (...what) => (void append(...what), process.exit(6));
        return file;
      };
      setInterval(work, 30);
      void optimizer.profileSystem({ type: 'cpu', durationMs: 1_000 });`);
    expect(code).toBe(6);
    const [result] = await stored();
    const points = await openStore(store()).metrics(result!.createdAt.slice(0, 10));
    expect(points.map(({ atMs }) => atMs)).toEqual([...result!.timeline.map(({ atMs }) => atMs), undefined]);
    expect(points.length).toBeGreaterThan(4);
  });

  it('storing what its monitor took leaves it whole, with V8’s own profile', async () => {
    const { code, output } = await run(`
      const { default: fs } = await import('node:fs/promises');
      const { rename } = fs;
      fs.rename = async (from, to) => (await rename(from, to), to.includes('/results/') && process.exit(6));
      await optimizer.monitor({ intervalMs: 20, anomalies: { loopDelayMs: 50, profileMs: 3_000 } });
      setInterval(() => work(150), 200);`);
    expect({ code, output }).toEqual({ code: 6, output: '' });
    const [result, ...more] = await stored();
    expect(more).toEqual([]);
    expect(result!.trigger).toMatchObject({ kind: 'loop-delay' });
    const raw = await openStore(store()).rawProfile(result!.id, 'cpuprofile');
    expect(JSON.parse(raw!)).toHaveProperty('nodes');
  });

  it('a profile whose store cannot be written exits as it would have', async () => {
    const { code, output } = await run(`
      const other = new SystemOptimizer({ storagePath: ${JSON.stringify(join(folder, 'late'))} });
      void other.profileSystem({ type: 'cpu', durationMs: 60_000 });
      const { writeFileSync } = await import('node:fs');
      later(600, () => { writeFileSync(${JSON.stringify(join(folder, 'late'))}, ''); process.exit(4); });`);
    expect({ code, output }).toEqual({ code: 4, output: '' });
    expect(existsSync(store())).toBe(false);
  });
});

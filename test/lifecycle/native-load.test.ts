import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, runInChild } from './native-child.js';

const addonFile = (
  createRequire(import.meta.url)('node-gyp-build') as { resolve(d: string): string }
).resolve(root);

const PERMISSION = [
  process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission',
];

describe('loading the addon', () => {
  it('gives one implementation per thread', async () => {
    const { output, stderr } = await runInChild(`
      console.log(JSON.stringify([loadNative() === loadNative(), loadNative().implementation, nativeLoadError()]));
    `);
    expect(stderr).toBe('');
    expect(output).toEqual([true, 'addon', null]);
  });

  it('works twice in one process, from one file and from two', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sysopt-load-'));
    const copy = join(folder, 'copy.node');
    cpSync(addonFile, copy);
    const { status, output, stderr } = await runInChild(`
      const open = (file) => {
        const module = { exports: {} };
        process.dlopen(module, file);
        return module.exports;
      };
      const addons = [open(${JSON.stringify(addonFile)}), open(${JSON.stringify(addonFile)}), open(${JSON.stringify(copy)})];
      const grants = addons.map((addon) => addon.regionCreate(4096, 64, 0, false));
      grants.forEach(({ buffer }, i) => new Uint8Array(buffer).fill(i + 1));
      const bytes = grants.map(({ buffer }) => new Uint8Array(buffer)[4095]);
      const counts = addons.map((addon, i) => [addon.regionClose(grants[i].id), addon.regionCount()]);
      console.log(JSON.stringify({ bytes, counts }));
    `);
    rmSync(folder, { recursive: true });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(output).toEqual({
      bytes: [1, 2, 3],
      counts: [
        [true, 0],
        [true, 0],
        [true, 0],
      ],
    });
  });

  it('works in many workers at once, each with regions of its own', async () => {
    const { status, output, stderr } = await runInChild(`
      const count = 6;
      const native = loadNative();
      const mine = native.regionCreate(4096, 64, 0, false);
      const workers = await Promise.all(Array.from({ length: count }, () => startWorker(\`
        for (let i = 0; i < 200; i++) native.regionClose(native.regionCreate(8192, 64, 0, true).id);
        native.regionCreate(4096, 64, 0, false);
        parentPort.postMessage(native.regionCount());
        parentPort.once('message', () => parentPort.postMessage(native.regionCount()));
      \`)));
      const counts = await Promise.all(workers.map((worker) => new Promise((resolve) => {
        worker.once('message', resolve);
        worker.postMessage('count');
      })));
      await Promise.all(workers.map((worker) => worker.terminate()));
      console.log(JSON.stringify({ counts, mine: native.regionCount() }));
    `);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(output).toEqual({ counts: [1, 1, 1, 1, 1, 1], mine: 1 });
  });
});

describe('without the addon', () => {
  const report = `
    let problem = null;
    try { loadNative(); } catch (error) { problem = { code: error.code, message: error.message }; }
    const native = problem ? undefined : loadNative();
    const addon = native?.capabilities().addon;
    console.log(JSON.stringify({ problem, implementation: native?.implementation, reason: nativeLoadError(), addon }));
  `;

  it.each([
    [['--no-addons'], 'Start Node without --no-addons'],
    [[...PERMISSION, '--allow-fs-read=*'], 'under --permission, with --allow-addons'],
    [[...PERMISSION, `--allow-fs-read=${root}*`, '--allow-addons'], '/etc/alpine-release'],
  ])('the library works on the fallback under %j, and says what would help', async (flags, remedy) => {
    const { output } = await runInChild(report, { flags, env: { SYSOPT_NATIVE: '' } });
    expect(output).toMatchObject({
      problem: null,
      implementation: 'fallback',
      addon: { available: false, reason: 'NO_ADDON', remedy: expect.stringContaining(remedy) },
    });
  });

  it('the addon loads under the permission model with the flags that are named', async () => {
    const flags = [
      ...PERMISSION,
      '--allow-addons',
      `--allow-fs-read=${root}*`,
      '--allow-fs-read=/etc/alpine-release',
    ];
    expect((await runInChild(report, { flags, env: { SYSOPT_NATIVE: '' } })).output).toMatchObject({
      implementation: 'addon',
    });
  });

  it('the library works on the fallback when told so, and says why', async () => {
    const { output } = await runInChild(report, { env: { SYSOPT_NATIVE: 'fallback' } });
    expect(output).toMatchObject({
      implementation: 'fallback',
      reason: expect.stringContaining('SYSOPT_NATIVE=fallback'),
      addon: { available: false, reason: 'NO_ADDON', remedy: 'Unset SYSOPT_NATIVE.' },
    });
  });

  it('the library works on the fallback where it cannot be found', async () => {
    const { output } = await runInChild(report, {
      env: { SYSOPT_NATIVE: '', SYSTEM_OPTIMIZER_PREBUILD: '/nonexistent' },
    });
    expect(output).toMatchObject({
      implementation: 'fallback',
      reason: expect.stringContaining('No native build was found'),
      addon: { remedy: expect.stringContaining('build-addon') },
    });
  });

  it('SYSOPT_NATIVE=addon is an error instead', async () => {
    const { output } = await runInChild(report, { env: { SYSTEM_OPTIMIZER_PREBUILD: '/nonexistent' } });
    expect(output).toMatchObject({ problem: { code: 'ADDON_REQUIRED' } });
  });

  it('an unknown SYSOPT_NATIVE is an error that names the right ones', async () => {
    const { output } = await runInChild(report, { env: { SYSOPT_NATIVE: 'fallbck' } });
    expect(output).toMatchObject({
      problem: { code: 'INVALID_SETTING', message: expect.stringContaining('"fallback"') },
    });
  });
});

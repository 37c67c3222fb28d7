import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, freePort, isAlive, pidsIn, runCli, scratch } from '../fixtures/cli/run-cli.js';

describe('sysopt profile', () => {
  it('finds the hot function of a service under load, stores the result and stops the service', async () => {
    using folder = scratch();
    const pidFile = join(folder.path, 'pids');
    const storage = join(folder.path, 'store');
    const port = await freePort();
    const { code, stdout, stderr, json } = await runCli(
      [
        'profile',
        '--json',
        '--duration',
        '2',
        '--warmup',
        '0.5',
        '--storage',
        storage,
        '--url',
        `http://127.0.0.1:${port}/`,
        '--',
        process.execPath,
        fixture('service.js'),
        String(port),
      ],
      { PID_FILE: pidFile },
    );
    expect(stderr).toContain('│ listening as');
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);

    expect(json.type).toBe('cpu');
    expect(json.target.load.requests).toBeGreaterThan(0);
    expect(json.target.pid).toBe(pidsIn(pidFile)[0]);
    expect(json.metrics['eventLoop.utilization'].value).toBeGreaterThan(0.5);
    expect(json.analysis.findings.length).toBeGreaterThan(0);
    expect(Array.isArray(json.recommendations)).toBe(true);
    const hottest = json.functions.find((cost: any) => cost.origin === 'user');
    expect(hottest.location.file).toContain('service.js');

    expect(pidsIn(pidFile).some(isAlive)).toBe(false);
    const stored = JSON.parse(readFileSync(join(storage, 'results', `${json.id}.json`), 'utf8'));
    expect(stored.target.description).toContain('service.js');
    expect(readdirSync(join(storage, 'analysis'))).toEqual([`${json.id}.json`]);
  });

  it.runIf(process.platform === 'linux')(
    'names the function of a program whose loop never comes round, and stops it',
    async () => {
      using folder = scratch();
      const app = join(folder.path, 'app.mjs');
      writeFileSync(
        app,
        'console.log("pid", process.pid);\nfunction stuck() {\n  for (let i = 0; ; i += 1) Math.sqrt(i);\n}\nstuck();\n',
      );
      const { code, json, stderr } = await runCli([
        'profile',
        '--json',
        '--duration',
        '1500ms',
        '--storage',
        join(folder.path, 'store'),
        '--',
        process.execPath,
        app,
      ]);
      expect(code).toBe(0);
      expect(json.functions[0].location).toMatchObject({ function: 'stuck', file: app });
      expect(json.analysis.findings[0]).toMatchObject({ cause: 'sync-cpu', location: { function: 'stuck' } });
      expect(json.warnings[0]).toContain('did not come round');
      expect(isAlive(Number(/pid (\d+)/.exec(stderr)![1]))).toBe(false);
    },
    60_000,
  );

  it('prints causes with place and advice for people', async () => {
    using folder = scratch();
    const port = await freePort();
    const { code, stdout } = await runCli([
      'profile',
      '--duration',
      '2',
      '--warmup',
      '0.5',
      '--storage',
      folder.path,
      '--url',
      `http://127.0.0.1:${port}/`,
      '--',
      process.execPath,
      fixture('service.js'),
      String(port),
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/1\. \S/);
    expect(stdout).toContain('service.js:');
    expect(stdout).toContain('confidence');
    expect(stdout).toContain('sysopt report');
    expect(stdout).not.toMatch(/\u001b/);
  });

  it('profiles a program that ends by itself, and says that it did', async () => {
    using folder = scratch();
    const { code, json } = await runCli([
      'profile',
      '--json',
      '--duration',
      '30',
      '--storage',
      folder.path,
      '--',
      process.execPath,
      fixture('short-work.js'),
    ]);
    expect(code).toBe(0);
    expect(json.durationMs).toBeLessThan(25_000);
    expect(json.warnings.join(' ')).toContain('ended');
    expect(json.functions.some((cost: any) => cost.location.function === 'work')).toBe(true);
  });

  it('profiles the service and not the package manager that starts it', async () => {
    using folder = scratch();
    const port = await freePort();
    const { code, json } = await runCli([
      'profile',
      '--json',
      '--duration',
      '1',
      '--warmup',
      '0.5',
      '--storage',
      folder.path,
      '--url',
      `http://127.0.0.1:${port}/`,
      '--',
      'npm',
      'exec',
      '--offline',
      '-c',
      `node ${JSON.stringify(fixture('service.js'))} ${port}`,
    ]);
    expect(code).toBe(0);
    expect(json.functions.some((cost: any) => String(cost.location.file).includes('service.js'))).toBe(true);
  });

  it('fails the gate that was asked for', async () => {
    using folder = scratch();
    const port = await freePort();
    const args = (severity: string) => [
      'profile',
      '--json',
      '--duration',
      '1',
      '--warmup',
      '0.5',
      '--fail-on',
      severity,
      '--storage',
      folder.path,
      '--url',
      `http://127.0.0.1:${port}/`,
      '--',
      process.execPath,
      fixture('service.js'),
      String(port),
    ];
    const { code, json } = await runCli(args('low'));
    expect(json.analysis.findings[0].cause).not.toBe('healthy');
    expect(code).toBe(1);
  });

  it('prints the result where the store turns out not to be writable at the end', async () => {
    using folder = scratch();
    const storage = join(folder.path, 'store');
    const app = join(folder.path, 'app.cjs');
    writeFileSync(
      app,
      `require('fs').writeFileSync(${JSON.stringify(join(storage, 'results'))}, 'in the way');
function work() { const end = Date.now() + 500; let s = 0; while (Date.now() < end) s += Math.sqrt(s + 1); return s; }
work();`,
    );
    const { code, json, stderr } = await runCli([
      ...['profile', '--json', '--storage', storage, '--', process.execPath, app],
    ]);
    expect(code).toBe(4);
    expect(json).toMatchObject({ type: 'cpu', stored: false });
    expect(json.functions[0].location.function).toBe('work');
    expect(stderr).toContain('could not be stored');
  });
});

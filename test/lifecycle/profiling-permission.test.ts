import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const FLAG = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';
const INDEX = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;

/** Runs a program under the permission model and returns what it printed, parsed. */
function run(source: (storage: string) => string): unknown {
  const directory = mkdtempSync(join(tmpdir(), 'permission-test-'));
  try {
    const app = join(directory, 'app.mjs');
    writeFileSync(
      app,
      `import { SystemOptimizer } from ${JSON.stringify(INDEX)};\n${source(join(directory, 'store'))}`,
    );
    const flags = [FLAG, '--allow-fs-read=*', '--allow-fs-write=*', '--no-warnings'];
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, app], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('under Node’s permission model', () => {
  it('the reason is the inspector that is denied, with the remedy', () => {
    const { code, message, hint } = run(
      (storage) => `const optimizer = new SystemOptimizer({ storagePath: ${JSON.stringify(storage)} });
const error = await optimizer.profileSystem({ type: 'cpu', durationMs: 50 }).catch((error) => error);
console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
await optimizer.close();`,
    ) as Record<'code' | 'message' | 'hint', string>;
    expect(code).toBe('NOT_SUPPORTED');
    expect(message).toContain('permission model, which denies the inspector');
    expect(`${message} ${hint}`).not.toContain('built without');
    expect(hint).toContain('--allow-inspector');
  });

  it('an alert has the failure, and the program goes on', () => {
    const alert = run(
      (storage) => `const optimizer = new SystemOptimizer({ storagePath: ${JSON.stringify(storage)} });
const told = new Promise((resolve) => optimizer.on('alert', resolve));
await optimizer.monitor({ anomalies: { utilization: 0.01 } });
const busy = setInterval(() => { const end = Date.now() + 20; while (Date.now() < end); }, 30);
const { kind, result, failure } = await told;
clearInterval(busy);
console.log(JSON.stringify({ kind, hasResult: result !== undefined, code: failure.code }));
await optimizer.close();`,
    );
    expect(alert).toEqual({ kind: 'utilization', hasResult: false, code: 'NOT_SUPPORTED' });
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const FLAG = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';
const INDEX = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;

it('under the permission model the reason is the inspector that is denied, with the remedy', () => {
  const directory = mkdtempSync(join(tmpdir(), 'permission-test-'));
  try {
    const app = join(directory, 'app.mjs');
    writeFileSync(
      app,
      `import { SystemOptimizer } from ${JSON.stringify(INDEX)};
const optimizer = new SystemOptimizer({ storagePath: ${JSON.stringify(join(directory, 'store'))} });
const error = await optimizer.profileSystem({ type: 'cpu', durationMs: 50 }).catch((error) => error);
console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
await optimizer.close();`,
    );
    const flags = [FLAG, '--allow-fs-read=*', '--allow-fs-write=*', '--no-warnings'];
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, app], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stderr).toBe('');
    const { code, message, hint } = JSON.parse(stdout) as Record<'code' | 'message' | 'hint', string>;
    expect(code).toBe('NOT_SUPPORTED');
    expect(message).toContain('permission model, which denies the inspector');
    expect(`${message} ${hint}`).not.toContain('built without');
    expect(hint).toContain('--allow-inspector');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

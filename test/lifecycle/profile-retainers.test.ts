/** What holds a leak, told by two heap snapshots of a program that knows nothing of it. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runCli, scratch } from '../fixtures/cli/run-cli.js';

const LEAK = `
const settings = { limit: 10 };
const sessions = new Map();
let count = 0;
function login() {
  count += 1;
  return { id: count, name: 'user ' + count, visits: [count, count + 1] };
}
setInterval(() => {
  for (let i = 0; i < 200; i += 1) {
    const session = login();
    sessions.set(session.id, session);
  }
}, 5);
export { login, sessions, settings };
`;

describe('sysopt profile --retainers', () => {
  it('names the variable that a leak hangs on, and leaves no file behind', async () => {
    using folder = scratch();
    const app = join(folder.path, 'app.mjs');
    writeFileSync(app, LEAK);
    const temporary = join(folder.path, 'tmp');
    mkdirSync(temporary);
    const { code, json } = await runCli(
      [
        ...['profile', '--json', '--type', 'memory', '--retainers', '--duration', '2', '--warmup', '0.3'],
        ...['--storage', join(folder.path, 'store'), '--', process.execPath, app],
      ],
      { TMPDIR: temporary },
    );
    expect(code).toBe(0);
    expect(json.retainers[0]).toMatchObject({
      container: 'Map',
      path: 'sessions',
      location: { file: app, line: 3 },
    });
    expect(json.retainers[0].share).toBeGreaterThan(0.5);
    expect(json.retainers[0].bytes).toBeGreaterThan(2e5);
    const [finding] = json.analysis.findings;
    expect(finding.cause).toBe('heap-leak');
    expect(finding.detail).toContain('They hang on sessions (app.mjs:3), of class Map.');
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('leaves a large heap alone, and says so', async () => {
    using folder = scratch();
    const app = join(folder.path, 'app.mjs');
    writeFileSync(
      app,
      `import { SystemOptimizer } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
      globalThis.table = new Array(2e7).fill(0);
      const optimizer = new SystemOptimizer({ storagePath: ${JSON.stringify(join(folder.path, 'store'))} });
      const result = await optimizer.profileSystem({ type: 'memory', durationMs: 100, retainers: true });
      console.log(JSON.stringify(result));
      await optimizer.close();`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [app], { maxBuffer: 2 ** 28 });
    const { retainers, warnings } = JSON.parse(stdout) as { retainers?: unknown; warnings: string[] };
    expect(retainers).toEqual([]);
    expect(warnings.filter((each) => each.includes('was not looked for: the heap has'))).toHaveLength(1);
  });

  it('says so where the program ends before the second snapshot, and leaves no file', async () => {
    using folder = scratch();
    const app = join(folder.path, 'app.mjs');
    writeFileSync(app, 'setTimeout(() => process.exit(0), 2_500);');
    const temporary = join(folder.path, 'tmp');
    mkdirSync(temporary);
    const { json } = await runCli(
      [
        ...['profile', '--json', '-t', 'memory', '--retainers', '-d', '60s', '--warmup', '0.1'],
        ...['--storage', join(folder.path, 'store'), '--', process.execPath, app],
      ],
      { TMPDIR: temporary },
    );
    expect(json.retainers).toEqual([]);
    expect(json.warnings.join('\n')).toContain('the second snapshot was not read');
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('goes with memory alone, and with the agent', async () => {
    using folder = scratch();
    const rest = ['--storage', join(folder.path, 'store'), '--', process.execPath, '--version'];
    const cpu = await runCli(['profile', '--retainers', ...rest]);
    expect(cpu.code).toBe(2);
    expect(cpu.stderr).toMatch(/retainers.*memory/s);
    const outside = await runCli(['profile', '-t', 'memory', '--retainers', '--no-agent', '--pid', '1']);
    expect(outside.code).toBe(2);
    expect(outside.stderr).toContain('--retainers needs the agent');
  });
});

/** Programs whose heap is nearly full: a profile must never be what ends them, and says what it left out. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attachToProcess } from '../../dist/profiling/attach/attach.js';
import { profileEvenBlocked } from '../../dist/profiling/attach/blocked-agent.js';
import { listenForAgents } from '../../dist/profiling/controller.js';
import { scratch } from '../fixtures/cli/run-cli.js';

/** Fills its heap so that about `LEFT` MiB of the old generation are left, then goes on replacing what it keeps. */
const FILLING = `const v8 = require('v8');
const MIB = 1024 ** 2;
const left = () => {
  const old = v8.getHeapSpaceStatistics().filter(({ space_name: name }) => !/^new_/.test(name));
  return (v8.getHeapStatistics().heap_size_limit - 48 * MIB - old.reduce((sum, space) => sum + space.space_used_size, 0)) / MIB;
};
// Of one size from the start: an array that grows is there twice for a moment.
const kept = new Array(800_000).fill(null);
let count = 0;
const row = (id) => ({ id, name: 'row ' + id, value: id * 0.5 });
const fill = (rows) => { for (let i = 0; i < rows; i += 1, count += 1) kept[count] = row(count); };
// The size of a row is measured, and the rest filled in one go: V8 gives up after full collections that free little.
globalThis.gc();
const before = left();
fill(50_000);
globalThis.gc();
fill(Math.floor((left() - Number(process.env.LEFT)) / ((before - left()) / 50_000)));
// What is still young is not counted.
globalThis.gc();
function touch() {
  for (let i = 0; i < 20; i += 1) { const at = Math.floor(Math.random() * count); kept[at] = row(at); }
}
setInterval(touch, 20);
process.on('SIGTERM', () => process.exit(0));
console.log('up');`;

function start(folder: string, limitMib: number, leftMib: number, env: NodeJS.ProcessEnv = {}) {
  const file = join(folder, 'app.cjs');
  writeFileSync(file, FILLING);
  const child = spawn(process.execPath, ['--expose-gc', `--max-old-space-size=${limitMib}`, file], {
    env: { ...process.env, NODE_OPTIONS: '', ...env, LEFT: String(leftMib) },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<{ code: number | null; output: string }>((settle) =>
    child.once('close', (code) => settle({ code, output })),
  );
  const up = async () => {
    while (!output.includes('up') && child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  return { child, ended, up };
}

describe('a profile of a program with a tiny heap', () => {
  it.each([
    ['cpu', 32, 10],
    ['memory', 32, 9],
  ] as const)(
    'leaves it alive, and says what it left out (%s, limit %d MiB, %d MiB left)',
    async (type, limit, left) => {
      using folder = scratch();
      const server = await listenForAgents();
      try {
        const app = start(folder.path, limit, left, server.env);
        const agent = await server.waitForAgent(20_000);
        await app.up();
        const outcome = await agent.profile(type, { durationMs: 1200 }).then(
          ({ warnings, metrics }) => ({ warnings: warnings.join('\n'), metrics }),
          ({ message }: Error) => ({ warnings: message, metrics: undefined }),
        );
        expect(outcome.warnings).toMatch(/limit/);
        if (outcome.metrics !== undefined) {
          const { 'heap.allocation.rate': rate, 'cpu.samples': samples } = outcome.metrics;
          expect([rate, samples]).toContainEqual(
            expect.objectContaining({ available: false, reason: 'HEAP_TOO_FULL' }),
          );
        }
        app.child.kill('SIGTERM');
        expect(await app.ended).toMatchObject({ code: 0, output: 'up\n' });
      } finally {
        await server.close();
      }
    },
  );

  it.runIf(process.platform === 'linux')(
    'profiles one from outside that the agent has no room in',
    async () => {
      using folder = scratch();
      const server = await listenForAgents();
      try {
        const app = start(folder.path, 32, 7, server.env);
        const agent = await server.waitForAgent(20_000);
        await app.up();
        const { warnings, metrics } = await profileEvenBlocked(agent, 'cpu', { durationMs: 1200 });
        expect(warnings[0]).toContain('too near to its limit');
        expect(metrics['thread.main.onCpu']).toMatchObject({ available: true });
        expect(metrics['cpu.samples']).toMatchObject({ available: false, reason: 'HEAP_TOO_FULL' });
        app.child.kill('SIGTERM');
        expect((await app.ended).code).toBe(0);
      } finally {
        await server.close();
      }
    },
  );

  it('is whole where there is room', async () => {
    using folder = scratch();
    const server = await listenForAgents();
    try {
      const app = start(folder.path, 80, 60, server.env);
      const agent = await server.waitForAgent(20_000);
      await app.up();
      const { metrics, warnings } = await agent.profile('memory', { durationMs: 1200 });
      expect(metrics['heap.allocation.rate']).toMatchObject({ available: true });
      expect(metrics['cpu.samples']).toMatchObject({ available: true });
      expect(warnings.join()).not.toContain('limit');
      app.child.kill('SIGTERM');
      expect((await app.ended).code).toBe(0);
    } finally {
      await server.close();
    }
  });

  it.runIf(process.platform === 'linux')(
    'loads nothing into a running one that has no room for it',
    async () => {
      using folder = scratch();
      const app = start(folder.path, 32, 7);
      await app.up();
      const attached = await attachToProcess(app.child.pid!);
      expect(attached).toMatchObject({ mode: 'outside' });
      expect(attached.reason).toContain('near to its limit');
      const signals = await attached.profile('cpu', { durationMs: 800 });
      await attached.close();
      expect(signals.metrics['thread.main.onCpu']).toMatchObject({ available: true });
      app.child.kill('SIGTERM');
      expect((await app.ended).code).toBe(0);
    },
  );
});

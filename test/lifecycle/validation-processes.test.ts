import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compare } from '../../dist/validation/compare.js';

const module = fileURLToPath(new URL('../fixtures/validation/subjects.js', import.meta.url));
const compareUrl = new URL('../../dist/validation/compare.js', import.meta.url).href;

/** Process ids of measuring children of a process. */
function measuring(parentPid: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return table
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match?.[3]!.includes('pair-process.js') && Number(match[2]) === parentPid)
    .map((match) => Number(match![1]));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Folders that this process exchanges files with its children in. */
const exchangeFolders = () =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`sysopt-compare-${process.pid}-`));

async function eventually(condition: () => boolean, withinMs: number): Promise<void> {
  for (let waited = 0; waited < withinMs && !condition(); waited += 50) await delay(50);
}

describe('processes of a comparison', () => {
  it.each([
    ['hangs', 'SUBJECT_TIMED_OUT', /^hangs \(in its first call\) gave no result within 700 ms/],
    ['neverSettles', 'SUBJECT_DIED', /measured neverSettles \(in its first call\) ended \(exit code 13\)/],
    ['exits', 'SUBJECT_DIED', /measured exits \(in its first call\) ended \(exit code 3\).*giving up/],
    ['dies', 'SUBJECT_DIED', /measured dies \(in its first call\) ended \(signal SIGKILL\)/],
  ])('are gone after a subject that %s, which is named', async (name, code, message) => {
    const error: any = await compare(
      { module, export: 'sumLoop', args: [[1]] },
      { module, export: name },
      { timeoutMs: 700, checkResults: false },
    ).catch((reason: unknown) => reason);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(measuring(process.pid)).toEqual([]);
    expect(exchangeFolders()).toEqual([]);
  });

  it('are gone at once when the comparison is aborted', async () => {
    const controller = new AbortController();
    const running = compare(
      { module, export: 'hangs' },
      { module, export: 'hangs' },
      { signal: controller.signal },
    );
    running.catch(() => {});
    await eventually(() => measuring(process.pid).length > 0, 5000);
    expect(measuring(process.pid)).toHaveLength(1);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    expect(measuring(process.pid)).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('end soon after their parent got %s', async (signal) => {
    const script = `import { compare } from ${JSON.stringify(compareUrl)};
      const subject = { module: ${JSON.stringify(module)}, export: 'makeSum', args: [100000], factory: true };
      await compare(subject, subject, { maxProcesses: 1000, equivalenceMargin: 0 });`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
    // One look: between two replicates there is no child, so a second look could find none.
    let child: number | undefined;
    await eventually(() => (child = measuring(parent.pid!)[0]) !== undefined, 10_000);
    expect(child).toBeDefined();
    parent.kill(signal);
    await once(parent, 'exit');
    await eventually(() => !isAlive(child!), 5000);
    expect(isAlive(child!)).toBe(false);
  });
});

/** No thread keeps the CPUs of a pinned thread that happened to make it, as the kernel would have it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../../dist/native/load.js';
import { cpuLimits } from '../../../dist/host/limits.js';
import { allowedCpus } from '../../../dist/threads/placement.js';
import { fixture, poolWith } from '../../fixtures/threads/setup.js';

interface Inside {
  readonly own: string;
  readonly cpus: string;
  readonly counted: number;
}
const listed = (list: string) =>
  list.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number) as [number, number?];
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
const helpersOfKernel =
  fixture<() => Promise<{ sum: number; own: string; helpers: readonly string[] }>>('helpersOfKernel');
const poolInside = fixture<(options: object) => Promise<Inside>>('poolInside');
const canPin =
  process.platform === 'linux' && loadNative().implementation === 'addon' && allowedCpus().length > 1;
const ofProcess = canPin
  ? /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]!
  : '';
const first = String(canPin ? allowedCpus()[0]!.cpu : 0);

describe.runIf(canPin)('from a pinned thread', () => {
  it('the helpers of a native kernel may use all CPUs of the process', async () => {
    const pool = poolWith({ affinity: 'compact', maxThreads: 1 });
    const { sum, own, helpers } = await pool.run(helpersOfKernel);
    expect(sum).toBe(2_000_000);
    expect(own).toBe(first);
    expect(helpers.length).toBeGreaterThan(0);
    // They keep off the CPU that the caller is on, and may use every other one.
    for (const cpus of helpers)
      expect(new Set([Number(first), ...listed(cpus)])).toEqual(new Set(listed(ofProcess)));
  });

  it('threads of a pool that is made there may use all CPUs, and they are counted as elsewhere', async () => {
    const pool = poolWith({ affinity: 'compact', maxThreads: 1 });
    const { own, cpus, counted } = await pool.run(poolInside, {});
    expect(own).toBe(first);
    expect(cpus).toBe(ofProcess);
    expect(counted).toBe(cpuLimits().allowedCpus);
    expect(counted).toBeGreaterThan(1);
  });

  it('a pool that is made there and pins its threads places them over all CPUs', async () => {
    const outer = poolWith({ affinity: 'compact', maxThreads: 1 });
    const placed = await outer.run(poolInside, { affinity: 'numa_aware', maxThreads: 1 });
    const node = allowedCpus().filter((cpu) => cpu.node === allowedCpus()[0]!.node).length;
    expect(listed(placed.cpus)).toHaveLength(node);
  });
});

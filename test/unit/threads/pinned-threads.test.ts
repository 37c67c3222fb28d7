/** What `affinity` does to threads, as the kernel tells it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { allowedCpus, cpusForThread } from '../../../dist/threads/placement.js';
import { fixture, poolWith } from '../../fixtures/threads/setup.js';

const cpusOf = fixture<() => Promise<string>>('allowedCpus');
const ownCpus = () => /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]!;
const listed = (list: string) =>
  list.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number) as [number, number?];
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });

it.runIf(process.platform === 'linux').each(['compact', 'scatter', 'numa_aware'] as const)(
  'threads of a pool with affinity %s may use the CPUs of that placement alone, the main thread all',
  async (affinity) => {
    const before = ownCpus();
    const threads = Math.min(2, allowedCpus().length);
    const pool = poolWith({ affinity, minThreads: threads, maxThreads: threads });
    await pool.start();
    const found = new Set<string>();
    for (let i = 0; i < 40; i += 1)
      for (const cpus of await Promise.all([pool.run(cpusOf), pool.run(cpusOf)]))
        found.add(listed(cpus).join());
    const planned = Array.from({ length: threads }, (_, index) =>
      cpusForThread(affinity, index, threads).join(),
    );
    expect(found.size).toBeGreaterThan(0);
    for (const cpus of found) expect(planned).toContain(cpus);
    expect(ownCpus()).toBe(before);
  },
);

it.runIf(process.platform === 'linux')(
  'threads without affinity may use all CPUs of the process',
  async () => {
    expect(await poolWith().run(cpusOf)).toBe(ownCpus());
  },
);

import { describe, expect, it } from 'vitest';
import { cpusForThread, type LogicalCpu } from '../../../dist/threads/placement.js';

/** Two nodes of two cores of two hardware threads each, numbered as Linux does: siblings far apart. */
const host: LogicalCpu[] = Array.from({ length: 8 }, (_, cpu) => ({
  cpu,
  core: `${Math.floor((cpu % 4) / 2)}:${cpu % 4}`,
  node: Math.floor((cpu % 4) / 2),
}));
const place = (affinity: 'none' | 'compact' | 'scatter' | 'numa_aware', threads: number, cpus = host) =>
  Array.from({ length: threads }, (_, index) => cpusForThread(affinity, index, threads, () => cpus));

describe('cpusForThread', () => {
  it('compact: siblings of a core first, then the node', () => {
    expect(place('compact', 8).flat()).toEqual([0, 4, 1, 5, 2, 6, 3, 7]);
  });
  it('scatter: nodes first, then cores, siblings last', () => {
    const order = place('scatter', 8).flat();
    expect(order.slice(0, 4).map((cpu) => host[cpu]!.node)).toEqual([0, 1, 0, 1]);
    expect(new Set(order.slice(0, 4).map((cpu) => host[cpu]!.core)).size).toBe(4);
    expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
  it('numa_aware: a node each, in blocks', () => {
    expect(place('numa_aware', 4)).toEqual([
      [0, 1, 4, 5],
      [0, 1, 4, 5],
      [2, 3, 6, 7],
      [2, 3, 6, 7],
    ]);
  });
  it('goes round where there are more threads than CPUs', () => {
    expect(place('compact', 3, host.slice(0, 2)).flat()).toEqual([0, 1, 0]);
  });
  it('pins nothing for none, and where CPUs are unknown', () => {
    expect(place('none', 1)).toEqual([[]]);
    expect(place('compact', 1, [])).toEqual([[]]);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { latencyPlot, topologyLines } from '../../../dist/cli/print-host.js';
import { lastAdvertisedCache, parseCpuList, readTopology } from '../../../dist/host/topology.js';

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'sysopt-topology-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
}

const CPU = 'sys/devices/system/cpu';

/** Two packages of one core with two threads each, a memory node for each package. */
function writeServer(): void {
  write({
    [`${CPU}/online`]: '0-3',
    'sys/devices/system/node/node0/cpulist': '0,2',
    'sys/devices/system/node/node1/cpulist': '1,3',
    'sys/fs/cgroup/cgroup.controllers': 'cpu memory',
    'sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never',
    'sys/kernel/mm/transparent_hugepage/hpage_pmd_size': '2097152',
    'sys/devices/system/clocksource/clocksource0/current_clocksource': 'tsc',
    [`${CPU}/cpu0/cpufreq/scaling_governor`]: 'powersave',
    'proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t1-3',
    'proc/meminfo': 'HugePages_Total:       7\nHugepagesize:       2048 kB',
  });
  for (const cpu of [0, 1, 2, 3]) {
    const pair = cpu % 2 === 0 ? '0,2' : '1,3';
    const cache = (index: number, level: number, type: string, size: string) => {
      const folder = `${CPU}/cpu${cpu}/cache/index${index}`;
      write({
        [`${folder}/level`]: String(level),
        [`${folder}/type`]: type,
        [`${folder}/size`]: size,
        [`${folder}/coherency_line_size`]: '64',
        [`${folder}/shared_cpu_list`]: pair,
      });
    };
    write({
      [`${CPU}/cpu${cpu}/topology/thread_siblings_list`]: pair,
      [`${CPU}/cpu${cpu}/topology/physical_package_id`]: String(cpu % 2),
    });
    cache(0, 1, 'Data', '48K');
    cache(1, 1, 'Instruction', '32K');
    cache(2, 2, 'Unified', '2048K');
    cache(3, 3, 'Unified', '30M');
  }
}

describe('the topology', () => {
  it('is that of the kernel’s files', () => {
    writeServer();
    const topology = readTopology(root);
    expect(topology).toMatchObject({
      logicalCpus: 4,
      physicalCores: 2,
      packages: 2,
      smtSiblings: [
        [0, 2],
        [1, 3],
      ],
      allowedCpus: [1, 2, 3],
      numaNodes: [
        { node: 0, cpus: [0, 2] },
        { node: 1, cpus: [1, 3] },
      ],
      hugePages: { transparent: 'madvise', sizeBytes: 2 ** 21, reservedPages: 7 },
      governor: 'powersave',
      clockSource: 'tsc',
    });
    expect(topology.cgroup.version).toBe(2);
    // Each cache once, not once for every CPU that shares it.
    expect(topology.caches).toHaveLength(8);
    expect(topology.caches[0]).toEqual({
      level: 1,
      kind: 'data',
      sizeBytes: 48 * 1024,
      lineBytes: 64,
      sharedBy: [0, 2],
    });
    expect(lastAdvertisedCache(topology)).toBe(30 * 2 ** 20);
  });

  it('tells a control group of version 1', () => {
    write({ 'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1' });
    expect(readTopology(root).cgroup.version).toBe(1);
  });

  it('leaves out what the kernel does not tell', () => {
    const topology = readTopology(root);
    expect(topology.logicalCpus).toBeGreaterThan(0);
    expect(topology.caches).toEqual([]);
    expect(topology.numaNodes).toEqual([]);
    expect(topology.hugePages).toEqual({});
    for (const key of ['physicalCores', 'packages', 'governor', 'clockSource'])
      expect(topology).not.toHaveProperty(key);
    expect(topology.cgroup).not.toHaveProperty('version');
    expect(lastAdvertisedCache(topology)).toBeUndefined();
  });

  it('skips caches of no size and of unknown kinds', () => {
    write({
      [`${CPU}/online`]: '0',
      [`${CPU}/cpu0/cache/index0/level`]: '1',
      [`${CPU}/cpu0/cache/index0/type`]: 'Data',
      [`${CPU}/cpu0/cache/index0/size`]: '0K',
      [`${CPU}/cpu0/cache/index1/level`]: '2',
      [`${CPU}/cpu0/cache/index1/type`]: 'Separate',
      [`${CPU}/cpu0/cache/index1/size`]: '1M',
    });
    expect(readTopology(root).caches).toEqual([]);
  });

  it('has a line for each fact in sysopt doctor', () => {
    writeServer();
    const lines = topologyLines({ ...readTopology(root), cgroup: { version: 2, quotaCpus: 1.5 } });
    expect(lines).toEqual([
      'processors: 4 logical CPUs, 2 cores, 2 packages',
      'threads of one core: 0+2, 1+3',
      'cpuset of this process: CPU 1, 2, 3',
      'caches, advertised: L1 data 48 KiB, lines of 64 B (CPU 0, 2 | CPU 1, 3); ' +
        'L1 instruction 32 KiB, lines of 64 B (CPU 0, 2 | CPU 1, 3); ' +
        'L2 unified 2 MiB, lines of 64 B (CPU 0, 2 | CPU 1, 3); L3 unified 30 MiB, lines of 64 B (CPU 0, 2 | CPU 1, 3)',
      'memory node 0: CPU 0, 2',
      'memory node 1: CPU 1, 3',
      'control group v2: 1.5 CPUs, no memory limit',
      'huge pages: transparent: madvise, 2 MiB, 7 reserved',
      'governor: powersave',
      'clock source: tsc',
    ]);
  });
});

describe('lists of CPUs', () => {
  it.each([
    ['0-3,8', [0, 1, 2, 3, 8]],
    ['5', [5]],
    ['', []],
    ['x-2', []],
    ['3-1', []],
  ])('%s', (text, cpus) => expect(parseCpuList(text)).toEqual(cpus));
});

describe('the latency curve in the terminal', () => {
  const lengths = (latencies: number[]) =>
    latencyPlot({
      latencyCurve: latencies.map((latencyNs, i) => ({ sizeBytes: 4096 * 2 ** i, latencyNs })),
    }).map((line) => [...line].filter((character) => character === '█').length);

  it('has bars by the logarithm of the latency', () => {
    expect(lengths([1, 10, 100])).toEqual([1, 21, 40]);
  });

  it('stays low where hardly anything differs', () => {
    expect(Math.max(...lengths([1, 1.02, 0.99, 1.05]))).toBeLessThan(4);
  });

  it('names size and latency', () => {
    expect(latencyPlot({ latencyCurve: [{ sizeBytes: 4096, latencyNs: 1.7 }] })).toEqual([
      '    4 KiB █ 1.7 ns',
    ]);
  });
});

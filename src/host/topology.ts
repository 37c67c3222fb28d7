/** Processors, caches, memory nodes and limits, as the kernel's files tell them. Reads some dozen files, starts nothing. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { AdvertisedCache, HostTopology } from '../model/host-probe.js';
import { CGROUP_COLUMNS } from '../native/contract.js';
import { loadNative } from '../native/load.js';

/**
 * The machine under this process.
 *
 * @param root where `/sys` and `/proc` are, for tests.
 */
export function readTopology(root = '/'): HostTopology {
  const read = (...path: string[]) => readText(join(root, ...path));
  const list = (...path: string[]) => parseCpuList(read(...path) ?? '');
  const system = 'sys/devices/system';
  const online = list(system, 'cpu/online');
  const cpuFolder = (cpu: number) => join(system, 'cpu', `cpu${cpu}`);

  const siblings = distinct(online.map((cpu) => list(cpuFolder(cpu), 'topology/thread_siblings_list')));
  const packages = distinct(online.map((cpu) => read(cpuFolder(cpu), 'topology/physical_package_id')));
  const nodes = names(join(root, system, 'node')).flatMap((name) => {
    const node = /^node(\d+)$/.exec(name)?.[1];
    return node === undefined ? [] : [{ node: Number(node), cpus: list(system, 'node', name, 'cpulist') }];
  });
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(read('proc/self/status') ?? '')?.[1];
  const meminfo = read('proc/meminfo') ?? '';
  const thp = 'sys/kernel/mm/transparent_hugepage';
  const transparent = /\[(\w+)\]/.exec(read(thp, 'enabled') ?? '')?.[1];
  const hugeKb = /^Hugepagesize:\s*(\d+)/m.exec(meminfo)?.[1];
  const hugeSize = read(thp, 'hpage_pmd_size') ?? (hugeKb && String(Number(hugeKb) * 1024));
  const reserved = /^HugePages_Total:\s*(\d+)/m.exec(meminfo)?.[1];
  const governor = read(cpuFolder(0), 'cpufreq/scaling_governor');
  const clockSource = read(system, 'clocksource/clocksource0/current_clocksource');

  return {
    logicalCpus: online.length || cpus().length,
    ...(siblings.length > 0 && { physicalCores: siblings.length }),
    ...(packages.length > 0 && { packages: packages.length }),
    smtSiblings: siblings.filter((group) => group.length > 1),
    allowedCpus: allowed === undefined ? online : parseCpuList(allowed),
    caches: distinct(online.flatMap((cpu) => cachesOf(root, cpuFolder(cpu)))),
    numaNodes: nodes.sort((a, b) => a.node - b.node),
    cgroup: cgroupOf(root),
    hugePages: {
      ...(transparent !== undefined && { transparent }),
      ...(hugeSize !== undefined && Number(hugeSize) > 0 && { sizeBytes: Number(hugeSize) }),
      ...(reserved !== undefined && { reservedPages: Number(reserved) }),
    },
    ...(governor !== undefined && { governor }),
    ...(clockSource !== undefined && { clockSource }),
  };
}

/** The largest data cache that the processor advertises, in bytes; undefined where the kernel does not tell. */
export function lastAdvertisedCache({ caches }: HostTopology): number | undefined {
  const sizes = caches.filter(({ kind }) => kind !== 'instruction').map(({ sizeBytes }) => sizeBytes);
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}

function cachesOf(root: string, cpuFolder: string): AdvertisedCache[] {
  const folder = join(root, cpuFolder, 'cache');
  return names(folder).flatMap((index) => {
    const field = (name: string) => readText(join(folder, index, name));
    const kind = field('type')?.toLowerCase();
    const [, amount, unit] = /^(\d+)([KMG]?)$/.exec(field('size') ?? '') ?? [];
    const sizeBytes = Number(amount) * { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit ?? '']!;
    const level = Number(field('level') ?? NaN);
    if (kind !== 'data' && kind !== 'instruction' && kind !== 'unified') return [];
    if (!(sizeBytes > 0) || !Number.isInteger(level)) return [];
    const lineBytes = Number(field('coherency_line_size') ?? NaN);
    const sharedBy = parseCpuList(field('shared_cpu_list') ?? '');
    return [{ level, kind, sizeBytes, ...(lineBytes > 0 && { lineBytes }), sharedBy }];
  });
}

function cgroupOf(root: string): HostTopology['cgroup'] {
  const folder = join(root, 'sys/fs/cgroup');
  const version = existsSync(join(folder, 'cgroup.controllers')) ? 2 : existsSync(folder) ? 1 : undefined;
  const figures = new Float64Array(CGROUP_COLUMNS.length).fill(NaN);
  try {
    loadNative().readCgroup(figures);
  } catch {
    // No control groups on this system: no limits.
  }
  const figure = (column: (typeof CGROUP_COLUMNS)[number]) => figures[CGROUP_COLUMNS.indexOf(column)]!;
  const [quotaCpus, memoryLimitBytes] = [figure('quotaCpus'), figure('memoryLimitBytes')];
  return {
    ...(version !== undefined && { version }),
    ...(Number.isFinite(quotaCpus) && { quotaCpus }),
    ...(Number.isFinite(memoryLimitBytes) && { memoryLimitBytes }),
  };
}

/** `0-3,8` as numbers. */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .flatMap((range) => {
      const [low, high = low] = range.split('-').map(Number);
      if (range === '' || !Number.isInteger(low) || !Number.isInteger(high)) return [];
      return Array.from({ length: Math.max(0, high! - low! + 1) }, (_, i) => low! + i);
    });
}

/** Without repetitions, and without what is empty. */
function distinct<T>(values: readonly T[]): Exclude<T, undefined>[] {
  const seen = new Map(values.map((value) => [JSON.stringify(value), value]));
  seen.delete('[]');
  return [...seen.values()].filter((value) => value !== undefined) as Exclude<T, undefined>[];
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // Not on this system, or hidden by the container.
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The fallback's reading of Linux procfs: what native/core/figures does for the addon. Synchronous, slower. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The text of a file, or undefined where it cannot be read (another platform, a closed container). */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** A non-negative integer that is the whole of the text, else NaN. */
export function parseCount(text: string | undefined): number {
  const trimmed = text?.trim() ?? '';
  return /^\d+$/.test(trimmed) ? Number(trimmed) : NaN;
}

/** The number after `key` at the start of a line (`Key:   12 kB`, `key 12`), else NaN. */
export function findCount(text: string | undefined, key: string): number {
  return Number(new RegExp(`^${key}:?[ \\t]+(\\d+)`, 'm').exec(text ?? '')?.[1] ?? NaN);
}

/** Ids of this process' threads, empty where unknown. */
export function threadIds(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [];
  }
}

/** CPU number that a thread ran on last, from its `stat`: the name in it may contain blanks and brackets. */
export function lastCpu(stat: string | undefined): number {
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return parseCount(fields[36]);
}

/** `0-2,5` as `[0, 1, 2, 5]`. */
export function parseCpuList(list: string): number[] {
  return list
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = NaN, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

interface CgroupDirectory {
  /** The process' own group and every group above it, up to the mount. */
  readonly chain: readonly string[];
}

/** Directories of the group that controls `controller`, v1 or v2; undefined where it is not mounted. */
function cgroupDirectory(controller: string): (CgroupDirectory & { readonly version: 1 | 2 }) | undefined {
  const memberships = (readText('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const mounts = (readText('/proc/self/mountinfo') ?? '').split('\n').map((line) => line.split(' '));
  for (const version of [1, 2] as const) {
    const membership = memberships.find(([, names]) =>
      version === 1 ? names?.split(',').includes(controller) : names === '',
    );
    const mount = mounts.find((fields) => {
      const separator = fields.indexOf('-');
      if (fields[separator + 1] !== (version === 1 ? 'cgroup' : 'cgroup2')) return false;
      return version === 2 || fields[separator + 3]?.split(',').includes(controller);
    });
    const path = membership?.slice(2).join(':');
    const [mountRoot, mountPoint] = [mount?.[3], mount?.[4]];
    if (path === undefined || mountRoot === undefined || mountPoint === undefined) continue;
    // In a container the path may be the host's, of which the mount shows only the part below its root.
    const below = mountRoot === '/' ? path : path.startsWith(mountRoot) ? path.slice(mountRoot.length) : '/';
    const chain: string[] = [];
    for (let directory = join(mountPoint, below); ; directory = dirname(directory)) {
      chain.push(directory);
      if (directory === mountPoint || !directory.startsWith(mountPoint)) break;
    }
    // A hybrid host mounts a v2 tree without controllers.
    if (
      version === 2 &&
      readText(join(mountPoint, 'cgroup.controllers'))?.split(/\s/).includes(controller) !== true
    )
      continue;
    return { version, chain };
  }
  return undefined;
}

/** The tightest limit along the chain: a group is bound by every group above it. */
function tightest(chain: readonly string[], read: (directory: string) => number): number {
  return Math.min(Infinity, ...chain.map(read).filter((value) => !Number.isNaN(value)));
}

/** `CGROUP_COLUMNS` of contract.ts. */
export function readCgroupFigures(): number[] {
  const cpu = cgroupDirectory('cpu');
  const memory = cgroupDirectory('memory');
  return [...readCpuFigures(cpu), ...readMemoryFigures(memory)];
}

function readCpuFigures(cpu: ReturnType<typeof cgroupDirectory>): number[] {
  const own = cpu?.chain[0];
  if (!cpu || own === undefined) return [NaN, NaN, NaN, NaN, NaN];
  const stat = readText(join(own, 'cpu.stat'));
  if (cpu.version === 2) {
    const quota = tightest(cpu.chain, (directory) => {
      const [limit, period] = (readText(join(directory, 'cpu.max')) ?? '').trim().split(' ');
      return Number(limit) / Number(period);
    });
    const [usage, throttled] = [findCount(stat, 'usage_usec'), findCount(stat, 'throttled_usec')];
    return [
      usage * 1000,
      findCount(stat, 'nr_periods'),
      findCount(stat, 'nr_throttled'),
      throttled * 1000,
      quota,
    ];
  }
  const accounting = cgroupDirectory('cpuacct')?.chain[0];
  const usage = accounting === undefined ? NaN : parseCount(readText(join(accounting, 'cpuacct.usage')));
  const quota = tightest(cpu.chain, (directory) => {
    const limit = parseCount(readText(join(directory, 'cpu.cfs_quota_us')));
    return limit / parseCount(readText(join(directory, 'cpu.cfs_period_us')));
  });
  return [
    usage,
    findCount(stat, 'nr_periods'),
    findCount(stat, 'nr_throttled'),
    findCount(stat, 'throttled_time'),
    quota,
  ];
}

/** v1 writes "no limit" as the largest multiple of the page size in 63 bits. */
const V1_UNLIMITED = 2 ** 62;

function readMemoryFigures(memory: ReturnType<typeof cgroupDirectory>): number[] {
  const own = memory?.chain[0];
  if (!memory || own === undefined) return [NaN, NaN];
  const [usage, limit] =
    memory.version === 2
      ? ['memory.current', 'memory.max']
      : ['memory.usage_in_bytes', 'memory.limit_in_bytes'];
  const tightestLimit = tightest(memory.chain, (directory) => {
    const bytes = parseCount(readText(join(directory, limit)));
    return bytes >= V1_UNLIMITED ? Infinity : bytes;
  });
  return [parseCount(readText(join(own, usage))), tightestLimit];
}

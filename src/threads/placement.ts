/** Which CPUs a pool's threads are pinned to. Opt-in: pinned threads cannot dodge what else runs on their CPU. */
import { readdirSync, readFileSync } from 'node:fs';
import type { ThreadChoice } from '../model/choice.js';
import type { NativeContract } from '../native/contract.js';
import { loadNative } from '../native/load.js';

export const AFFINITIES: readonly ThreadChoice['affinity'][] = ['none', 'compact', 'scatter', 'numa_aware'];

export interface LogicalCpu {
  readonly cpu: number;
  /** Physical core and NUMA node; each unique on the host. */
  readonly core: string;
  readonly node: number;
}

/**
 * CPUs for the nth thread of a pool.
 * - `compact`: one CPU each, siblings of a core first: threads share caches.
 * - `scatter`: one CPU each, nodes and cores first: threads share as little as possible.
 * - `numa_aware`: all CPUs of one node, threads divided among the nodes in blocks: memory stays near, and the
 *   scheduler keeps its freedom within the node.
 *
 * Empty for `none`, and where the host does not tell its CPUs.
 */
export function cpusForThread(
  affinity: ThreadChoice['affinity'],
  index: number,
  threads: number,
  cpus: () => readonly LogicalCpu[] = allowedCpus,
): readonly number[] {
  if (affinity === 'none') return [];
  const available = cpus();
  if (available.length === 0) return [];
  if (affinity === 'numa_aware') {
    const nodes = [...new Set(available.map(({ node }) => node))].sort((a, b) => a - b);
    const node = nodes[Math.floor(((index % threads) * nodes.length) / threads)];
    return available.filter((candidate) => candidate.node === node).map(({ cpu }) => cpu);
  }
  const order = affinity === 'compact' ? compactOrder(available) : scatterOrder(available);
  return [order[index % order.length]!.cpu];
}

/** Physical cores among these CPUs: fewer than CPUs where a core runs two threads at a time. 0 for none. */
export function physicalCores(cpus: readonly LogicalCpu[]): number {
  return new Set(cpus.map(({ core }) => core)).size;
}

function compactOrder(cpus: readonly LogicalCpu[]): readonly LogicalCpu[] {
  return [...cpus].sort((a, b) => a.node - b.node || compareCores(a, b) || a.cpu - b.cpu);
}

/** Round robin over nodes, within a node over cores, then over siblings. */
function scatterOrder(cpus: readonly LogicalCpu[]): readonly LogicalCpu[] {
  const sibling = new Map<LogicalCpu, number>();
  const place = new Map<LogicalCpu, number>();
  const perCore = new Map<string, number>();
  const perNode = new Map<number, number>();
  const compact = compactOrder(cpus);
  for (const cpu of compact) {
    const nth = perCore.get(cpu.core) ?? 0;
    sibling.set(cpu, nth);
    perCore.set(cpu.core, nth + 1);
  }
  for (const cpu of [...compact].sort((a, b) => sibling.get(a)! - sibling.get(b)!)) {
    const nth = perNode.get(cpu.node) ?? 0;
    place.set(cpu, nth);
    perNode.set(cpu.node, nth + 1);
  }
  return [...compact].sort((a, b) => place.get(a)! - place.get(b)! || a.node - b.node);
}

function compareCores(a: LogicalCpu, b: LogicalCpu): number {
  return a.core === b.core ? 0 : a.core.localeCompare(b.core, 'en', { numeric: true });
}

/**
 * CPUs that this process may run on, with their places. Linux; empty where unknown. Of the process, not of the calling
 * thread: a pool may be made in a thread that is pinned.
 */
export function allowedCpus(): readonly LogicalCpu[] {
  const mask = new Int32Array(4_096);
  let count: number;
  try {
    count = loadNative().processAffinity(mask);
  } catch {
    return [];
  }
  return Array.from(mask.subarray(0, Math.min(count, mask.length)), (cpu) => {
    const topology = `/sys/devices/system/cpu/cpu${cpu}/topology`;
    const core = readText(`${topology}/core_id`) ?? String(cpu);
    const socket = readText(`${topology}/physical_package_id`) ?? '0';
    return { cpu, core: `${socket}:${core}`, node: nodeOf(cpu) };
  });
}

/** What wakes threads elsewhere (transport/wake-elsewhere.ts); undefined without the addon. */
export function threadKeeper(): Pick<NativeContract, 'keepOffCpu' | 'letBack'> | undefined {
  try {
    const native = loadNative();
    return native.implementation === 'addon' ? native : undefined;
  } catch {
    return undefined;
  }
}

/** A CPU's folder links to its NUMA node; on hosts without NUMA there is one node. */
function nodeOf(cpu: number): number {
  try {
    const link = readdirSync(`/sys/devices/system/cpu/cpu${cpu}`).find((name) => /^node\d+$/.test(name));
    return link === undefined ? 0 : Number(link.slice(4));
  } catch {
    return 0;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

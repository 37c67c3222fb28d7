import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { unavailable } from '../../model/metric.js';
import type { Gathered, Sampler } from '../sampler.js';

/** Kernel clock ticks a second, as every Linux that Node runs on has them. */
const TICKS_PER_SECOND = 100;
/** CPU share from which another process is worth a look at its connections. */
const WORTH_A_LOOK = 0.05;
/** A host with more processes than this is not searched: it would take too long. */
const MAX_PROCESSES = 2000;
const MAX_DESCRIPTORS = 2000;

/**
 * CPU time of processes that are connected to this one, so that a load generator on the same host is not taken
 * for a neighbour. Looks at the processes twice, at both ends of the window, and only at the busy ones' sockets.
 */
export class PeerSampler implements Sampler {
  readonly name = 'peers';
  #start: Map<string, number> | undefined;
  readonly #root: string;

  /** @param root the folder of all processes' figures. */
  constructor(root = '/proc') {
    this.#root = root;
  }

  start(): void {
    this.#start = cpuTicks(this.#root);
  }

  stop(gathered: Gathered): void {
    const end = this.#start === undefined ? undefined : cpuTicks(this.#root);
    if (end === undefined) {
      gathered.missing(
        ['host.cpu.peers'],
        unavailable(
          'NO_PROC',
          'The host’s processes cannot be listed, or there are too many of them.',
          'Nothing; without it a load generator on this host counts as other processes.',
        ),
      );
      return;
    }
    const ours = new Set(connections(this.#root, 'self').map(({ local, remote }) => `${remote} ${local}`));
    let peers = 0;
    for (const [pid, ticks] of end) {
      const share = (ticks - (this.#start!.get(pid) ?? 0)) / TICKS_PER_SECOND / (gathered.elapsedMs / 1000);
      if (pid === String(process.pid) || share < WORTH_A_LOOK || ours.size === 0) continue;
      if (connections(this.#root, pid).some(({ local, remote }) => ours.has(`${local} ${remote}`)))
        peers += share;
    }
    gathered.set('host.cpu.peers', peers);
  }
}

/** User and system time by process id; undefined where there is no /proc, or too much in it. */
function cpuTicks(root: string): Map<string, number> | undefined {
  let names: string[];
  try {
    names = readdirSync(root).filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  if (names.length > MAX_PROCESSES) return undefined;
  const ticks = new Map<string, number>();
  for (const pid of names) {
    try {
      // The name in parentheses may hold spaces; the fields after it do not.
      const stat = readFileSync(`${root}/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      ticks.set(pid, Number(fields[11]) + Number(fields[12]));
    } catch {
      // Gone since it was listed.
    }
  }
  return ticks;
}

/** Established TCP connections of a process. Empty where its descriptors belong to another user. */
function connections(root: string, pid: string): { local: string; remote: string }[] {
  const inodes = new Set<string>();
  try {
    for (const descriptor of readdirSync(`${root}/${pid}/fd`).slice(0, MAX_DESCRIPTORS)) {
      const socket = /^socket:\[(\d+)\]$/.exec(readlinkSync(`${root}/${pid}/fd/${descriptor}`));
      if (socket !== null) inodes.add(socket[1]!);
    }
  } catch {
    // Not ours to read, or gone: what was read counts.
  }
  const found: { local: string; remote: string }[] = [];
  for (const table of ['tcp', 'tcp6']) {
    let text: string;
    try {
      text = readFileSync(`${root}/${pid}/net/${table}`, 'latin1');
    } catch {
      continue;
    }
    for (const line of text.split('\n').slice(1)) {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === '01' && inode !== undefined && inodes.has(inode)) {
        found.push({ local: lastAddress(local!), remote: lastAddress(remote!) });
      }
    }
  }
  return found;
}

/** An IPv4 address mapped into IPv6 and the plain one are one address: the last eight digits and the port. */
function lastAddress(text: string): string {
  return text.slice(text.indexOf(':') - 8);
}

/**
 * What `/proc` says of a running process, before anything is sent to it: whether it is Node, ours, and ready for
 * the signal that opens the inspector. SIGUSR1 ends a process that does not catch it, so nothing here is guessed:
 * the executable is named `node` or holds Node's own entry point, and the kernel lists the signal as caught.
 */
import { closeSync, openSync, readFileSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, fail } from '../../errors.js';
import { findCount, readText } from '../../native/procfs.js';

export interface NodeProcess {
  readonly pid: number;
  /** Clock ticks from the host's start to the process': tells it from a later one with the same id. */
  readonly startTime: string;
  readonly command: readonly string[];
  readonly userId: number;
  /** Whether the kernel would deliver SIGUSR1 to a handler, as it does for a Node that allows its inspector. */
  readonly catchesSigusr1: boolean;
  /** Whether this process sees the same network: the inspector listens on the target's loopback. */
  readonly sharesNetwork: boolean;
}

export interface ListeningPort {
  readonly host: string;
  readonly port: number;
  /** Of the socket: tells a port from the same one closed and opened again. */
  readonly inode: string;
}

const SIGUSR1 = 10;
/** `node::Start(int, char**)`, which every executable with Node inside exports, whatever its name. */
const NODE_START = Buffer.from('_ZN4node5StartEiPPc');
const READ_BYTES = 1 << 20;

/**
 * @throws NotSupportedError off Linux; InvalidArgumentError for what is no process id, or this process;
 *   TargetError (`PROCESS_NOT_FOUND`, `PROCESS_NOT_YOURS`, `PROCESS_NOT_NODE`, `INSPECTOR_REFUSED`).
 */
export function readNodeProcess(pid: number): NodeProcess {
  if (process.platform !== 'linux') {
    throw fail('NOT_SUPPORTED', {
      what: 'Attaching to a running process',
      where: 'on this platform, which has no /proc to show what the process is',
      remedy: 'Start the program with the profiler: sysopt profile -- node app.js',
    });
  }
  if (!Number.isSafeInteger(pid) || pid < 1 || pid === process.pid) {
    throw fail('INVALID_ARGUMENT', {
      name: 'pid',
      actual: pid === process.pid ? 'this process itself' : describe(pid),
      expected: 'the id of another process that runs Node',
    });
  }
  const status = readText(`/proc/${pid}/status`);
  if (status === undefined) throw notFound(pid, 'it has ended, or never was.');
  const userId = findCount(status, 'Uid');
  const leader = findCount(status, 'Tgid');
  if (leader !== pid) throw notFound(pid, `that is a thread of process ${leader}.`);
  const state = /^State:\s+(\w)/m.exec(status)?.[1];
  if (state === 'Z' || state === 'X') throw notFound(pid, 'it has ended.');
  const own = process.geteuid?.();
  if (own !== 0 && own !== userId) throw notYours(pid, userId);
  checkExecutable(pid, userId);
  if (state === 'T' || state === 't') {
    throw fail('INSPECTOR_REFUSED', {
      pid,
      reason: 'the process is stopped, so it answers nothing.',
      remedy: `Let it go on first: kill -CONT ${pid}`,
    });
  }
  return {
    pid,
    userId,
    startTime: startTimeOf(pid) ?? '',
    command: nulSeparated(`/proc/${pid}/cmdline`),
    catchesSigusr1: isCaught(status, SIGUSR1),
    sharesNetwork: linkOf(`/proc/${pid}/ns/net`) === linkOf('/proc/self/ns/net'),
  };
}

/** Whether the process that was looked at still runs. */
export function isStill({ pid, startTime }: NodeProcess): boolean {
  return (
    startTimeOf(pid) === startTime && !/^State:\s+[ZX]/m.test(readText(`/proc/${pid}/status`) ?? 'State: X')
  );
}

/** TCP ports that the process listens on. */
export function listeningPorts(pid: number): ListeningPort[] {
  const sockets = socketsOf(pid);
  return tcpSockets(`/proc/${pid}/net`, LISTENING).filter(({ inode }) => sockets.has(inode));
}

/** Whether anybody is connected to a port that the process listens on. */
export function isConnectedTo(pid: number, port: number): boolean {
  const sockets = socketsOf(pid);
  return tcpSockets(`/proc/${pid}/net`, ESTABLISHED).some(
    (socket) => socket.port === port && sockets.has(socket.inode),
  );
}

/** Whether anything in the process' network listens on a port of the loopback address. */
export function isTaken(pid: number, port: number): boolean {
  return tcpSockets(`/proc/${pid}/net`, LISTENING).some(
    (listener) => listener.port === port && (listener.host === '127.0.0.1' || listener.host === '0.0.0.0'),
  );
}

/** The port that Node would open its inspector on, and whether its inspector was asked for from the start. */
export function inspectorPort({ pid, command }: NodeProcess): {
  readonly port: number;
  readonly asked: boolean;
} {
  const environment = nulSeparated(`/proc/${pid}/environ`).find((entry) => entry.startsWith('NODE_OPTIONS='));
  const options = [
    ...(environment?.slice('NODE_OPTIONS='.length).split(/\s+/) ?? []),
    ...nodeArguments(command),
  ];
  let port = 9229;
  let asked = false;
  for (const option of options) {
    const match = /^--(inspect(?:-brk|-wait|-port)?|debug-port)(?:=(?:.*:)?(\d+))?$/.exec(option);
    if (match === null) continue;
    if (match[2] !== undefined) port = Number(match[2]);
    if (match[1] !== 'inspect-port' && match[1] !== 'debug-port') asked = true;
  }
  return { port, asked };
}

export interface ChildProcess {
  readonly pid: number;
  readonly command: readonly string[];
}

/** The process' descendants that run Node, at most two generations down: a cluster's workers, what npm started. */
export function nodeChildren(pid: number, generations = 3): ChildProcess[] {
  if (generations === 0) return [];
  const children = list(`/proc/${pid}/task`)
    .flatMap((tid) => (readText(`/proc/${pid}/task/${tid}/children`) ?? '').trim().split(' '))
    .filter((child) => child !== '')
    .map(Number);
  return children.flatMap((child) => [
    ...(isNode(child) ? [{ pid: child, command: nulSeparated(`/proc/${child}/cmdline`) }] : []),
    ...nodeChildren(child, generations - 1),
  ]);
}

/** CPU time that a process has used, in milliseconds; NaN where it is gone. */
export function cpuTimeMs(pid: number): number {
  return list(`/proc/${pid}/task`).reduce(
    (sum, tid) => sum + Number(readText(`/proc/${pid}/task/${tid}/schedstat`)?.split(' ')[0] ?? 0) / 1e6,
    0,
  );
}

/** How long a process' main thread has waited for a CPU, in milliseconds; 0 where the kernel does not say. */
export function runQueueMs(pid: number): number {
  return Number(readText(`/proc/${pid}/task/${pid}/schedstat`)?.split(' ')[1] ?? 0) / 1e6;
}

function checkExecutable(pid: number, userId: number): void {
  let executable: string;
  try {
    executable = readlinkSync(`/proc/${pid}/exe`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') throw notYours(pid, userId);
    if (readText(`/proc/${pid}/status`) === undefined) throw notFound(pid, 'it has ended.');
    executable = 'a thread of the kernel';
  }
  if (isNode(pid)) return;
  throw fail('PROCESS_NOT_NODE', { pid, executable });
}

function isNode(pid: number): boolean {
  const executable = linkOf(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, '');
  if (executable === undefined) return false;
  if (/^node(js)?([-.]?\d[\w.-]*)?$/.test(basename(executable))) return true;
  return holds(`/proc/${pid}/exe`, NODE_START) || /\/libnode\.so/.test(readText(`/proc/${pid}/maps`) ?? '');
}

/** Whether a file holds some bytes; read in pieces, since an executable may be larger than a buffer should be. */
function holds(file: string, wanted: Buffer): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return false;
  }
  try {
    const piece = Buffer.alloc(READ_BYTES + wanted.length);
    for (let at = 0; ; at += READ_BYTES) {
      const length = readSync(descriptor, piece, 0, piece.length, at);
      if (piece.subarray(0, length).includes(wanted)) return true;
      if (length < piece.length) return false;
    }
  } finally {
    closeSync(descriptor);
  }
}

function isCaught(status: string, signal: number): boolean {
  const mask = /^SigCgt:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** States of a TCP socket, as the kernel prints them. */
const ESTABLISHED = '01';
const LISTENING = '0A';

/** Ids of the sockets that a process holds. */
function socketsOf(pid: number): Set<string> {
  const sockets = new Set<string>();
  for (const descriptor of list(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${descriptor}`) ?? '')?.[1];
    if (inode !== undefined) sockets.add(inode);
  }
  return sockets;
}

/** Local ends of the TCP sockets in a state, of all processes that share the network. */
function tcpSockets(folder: string, state: string): ListeningPort[] {
  return ['tcp', 'tcp6'].flatMap((file) =>
    (readText(`${folder}/${file}`) ?? '')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === state)
      .map((fields) => {
        const [address = '', port = ''] = fields[1]!.split(':');
        return { host: hostOf(address), port: parseInt(port, 16), inode: fields[9]! };
      }),
  );
}

/** The kernel prints addresses as words of the host's byte order. Only the loopback and "any" matter here. */
function hostOf(hex: string): string {
  if (hex.length === 8) return Buffer.from(hex, 'hex').reverse().join('.');
  return /^0+$/.test(hex) ? '0.0.0.0' : '::1';
}

/** Arguments of Node itself: those before the script. */
function nodeArguments(command: readonly string[]): string[] {
  const script = command.findIndex((argument, index) => index > 0 && !argument.startsWith('-'));
  return command.slice(1, script === -1 ? undefined : script);
}

/** Field 22 of `stat`; the name before it may hold blanks and brackets. */
function startTimeOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function nulSeparated(file: string): string[] {
  return (readText(file) ?? '').split('\0').filter((part) => part !== '');
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function notFound(pid: number, reason: string) {
  return fail('PROCESS_NOT_FOUND', { pid, reason });
}

function notYours(pid: number, userId: number) {
  return fail('PROCESS_NOT_YOURS', { pid, owner: nameOf(userId) });
}

function nameOf(userId: number): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(userId));
    if (line !== undefined) return `user ${line.split(':')[0] ?? userId}`;
  } catch {
    // Without a list of users the number has to do.
  }
  return `user ${userId}`;
}

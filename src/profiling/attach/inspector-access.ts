/**
 * Opens the inspector of a running process and closes it again. Node opens it on SIGUSR1, in a thread of its own,
 * so also while the loop is blocked. Which port it is, the kernel's tables say: the one that the process listens
 * on now and did not before. Guessing 9229 would reach another process where several are inspected.
 *
 * It is closed on every way out: by `release`, and where this process ends without that, by its guard
 * (inspector-guard.ts). Only a process that answers nothing for a minute afterwards (stopped, or in native code) keeps it.
 *
 * What is closed is the one that was opened, by its URL, whose UUID Node makes anew each time: by the time a guard
 * comes to it, the next run may have opened another on the same port.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../../errors.js';
import {
  inspectorPort,
  isConnectedTo,
  isStill,
  isTaken,
  listeningPorts,
  nodeChildren,
  type ListeningPort,
  type NodeProcess,
} from './node-process.js';
import { guardInspector, type GuardedInspector } from './inspector-guard.js';
import { RemoteInspector, webSocketUrl } from './remote-inspector.js';

const OPEN_MS = 5000;
const POLL_MS = 25;
/** Another debugger may be about to leave the port. */
const PORT_WAIT_MS = 3000;
/** What the cluster workers of a primary take to open theirs: Node passes the signal on to them. */
const CHILDREN_MS = 250;
/** Also for a session of its own: `inspector.close` waits for the one that calls it. */
const CLOSE = 'process._debugEnd()';

export interface InspectorAccess {
  readonly inspector: RemoteInspector;
  /**
   * Ends the connection; where it was opened for us, the inspector too. Never throws; a second call does nothing.
   *
   * @returns false where the process did not answer within five seconds, so that the inspector is still open.
   */
  release(): Promise<boolean>;
}

/** @throws TargetError (`INSPECTOR_REFUSED`, `PROCESS_NOT_FOUND`), AbortedError. */
export async function openInspector(target: NodeProcess, signal?: AbortSignal): Promise<InspectorAccess> {
  const { pid } = target;
  const refuse = (reason: string, remedy: string) => fail('INSPECTOR_REFUSED', { pid, reason, remedy });
  if (!target.sharesNetwork) {
    throw refuse(
      'the process runs in a network of its own, as in a container, where its inspector would listen.',
      'Run sysopt in the same container, or enter it: nsenter --target PID --net --pid --mount sysopt profile …',
    );
  }
  const { port, asked } = inspectorPort(target);
  const candidate = listeningPorts(pid).find((listener) => listener.port === port || (asked && port === 0));
  const open = candidate === undefined ? undefined : await RemoteInspector.connect(candidate);
  if (open !== undefined) return { inspector: open, release: once(() => open.close().then(() => true)) };
  if (!target.catchesSigusr1) {
    throw refuse(
      'it does not catch SIGUSR1, so it was started with --disable-sigusr1 or has just begun. Nothing was sent to it.',
      'Start it without that flag, or start it with the profiler: sysopt profile -- node app.js',
    );
  }
  const waitUntil = performance.now() + PORT_WAIT_MS;
  while (port !== 0 && isTaken(pid, port)) {
    if (performance.now() > waitUntil) {
      throw refuse(
        `port ${port}, on which it would listen, is taken by another process. Nothing was sent to it.`,
        `Find who listens there (ss -ltnp sport = :${port}) and end that, often a debugger that was left open.`,
      );
    }
    await delay(POLL_MS, undefined, { signal });
  }
  signal?.throwIfAborted();
  const children = nodeChildren(pid).map((child) => ({ pid: child.pid, before: listeningPorts(child.pid) }));
  // Between two looks another process may have taken the number.
  if (!isStill(target)) throw fail('PROCESS_NOT_FOUND', { pid, reason: 'it has ended.' });
  // Now: an inspector that was on its way out when we came is none that was there before.
  const before = listeningPorts(pid);
  const guarded: GuardedInspector = { target, port, before, children };
  const guard = guardInspector(guarded);
  let inspector: RemoteInspector;
  try {
    guard.signalled();
    process.kill(pid, 'SIGUSR1');
    inspector = await connectWhenOpen(target, before, port);
    guard.opened(inspector.url);
  } catch (error) {
    // It may open yet.
    guard.takeOver();
    throw error;
  }
  return {
    inspector,
    release: once(async () => {
      const isClosed = await endInspector(inspector);
      if (children.length > 0) await delay(CHILDREN_MS);
      for (const child of children) await closeNew(child.pid, child.before);
      if (isClosed) guard.dismiss();
      else guard.takeOver();
      return isClosed;
    }),
  };
}

/**
 * Closes what was opened for us and is open still, for as long as the process runs and `patienceMs` last. Nothing else
 * is touched: not what another run opened since, nor what somebody is connected to whose opener is not known.
 *
 * @param url of the inspector; undefined where nobody had connected to it yet, so that it may still be opening.
 * @returns whether it is closed.
 */
export async function closeOpened(
  { target, port, before, children }: GuardedInspector,
  url: string | undefined,
  patienceMs: number,
): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  let wanted = url;
  let isClosed = false;
  while (!isClosed && isStill(target) && performance.now() < deadline) {
    wanted ??= await urlOfUnclaimed(target.pid, before, port);
    const inspector = wanted === undefined ? undefined : await RemoteInspector.reconnect(wanted);
    if (inspector !== undefined) isClosed = await endInspector(inspector, deadline - performance.now());
    else if (wanted !== undefined) isClosed = await isGone(target.pid, wanted);
    if (!isClosed) await delay(POLL_MS);
  }
  for (const child of children) await closeNew(child.pid, child.before, isUnclaimed(child.pid));
  return isClosed;
}

/** The inspector that opened since and that nobody uses: one in use has an owner of its own. */
async function urlOfUnclaimed(
  pid: number,
  before: readonly ListeningPort[],
  port: number,
): Promise<string | undefined> {
  const found = newPorts(pid, before).filter((listener) => isAsked(listener, port));
  for (const listener of found.filter(isUnclaimed(pid))) {
    const url = await webSocketUrl(listener);
    if (url !== undefined) return url;
  }
  return undefined;
}

function isUnclaimed(pid: number): (listener: ListeningPort) => boolean {
  return ({ port }) => !isConnectedTo(pid, port);
}

/** Whether an inspector is closed, and does not only fail to answer. */
async function isGone(pid: number, url: string): Promise<boolean> {
  const at = listeningPorts(pid).find(({ port }) => port === Number(new URL(url).port));
  if (at === undefined) return true;
  const present = await webSocketUrl(at);
  return present !== undefined && present !== url;
}

/** A service that just began to listen to the world is not asked. */
function isAsked({ host, port }: ListeningPort, expected: number): boolean {
  return host !== '0.0.0.0' || port === expected;
}

function once(work: () => Promise<boolean>): () => Promise<boolean> {
  let done: Promise<boolean> | undefined;
  return () => (done ??= work());
}

async function connectWhenOpen(
  target: NodeProcess,
  before: readonly ListeningPort[],
  port: number,
): Promise<RemoteInspector> {
  const { pid } = target;
  const deadline = performance.now() + OPEN_MS;
  for (;;) {
    for (const listener of newPorts(pid, before)) {
      if (!isAsked(listener, port)) continue;
      const connection = await RemoteInspector.connect(listener);
      if (connection !== undefined) return connection;
    }
    if (!isStill(target))
      throw fail('PROCESS_NOT_FOUND', { pid, reason: 'it ended while it was attached to.' });
    if (performance.now() > deadline) {
      throw fail('INSPECTOR_REFUSED', {
        pid,
        reason: `it caught SIGUSR1 and opened no port within ${OPEN_MS / 1000} s, as a program does that listens for that signal itself, or whose main thread is in native code. Should it open one within a minute, that is closed.`,
        remedy: 'Start it with --inspect, or with the profiler: sysopt profile -- node app.js',
      });
    }
    await delay(POLL_MS);
  }
}

function newPorts(pid: number, before: readonly ListeningPort[]): ListeningPort[] {
  return listeningPorts(pid).filter(({ inode }) => !before.some((known) => known.inode === inode));
}

async function closeNew(
  pid: number,
  before: readonly ListeningPort[],
  isOurs: (listener: ListeningPort) => boolean = () => true,
): Promise<void> {
  for (const listener of newPorts(pid, before).filter(isOurs)) {
    const inspector = await RemoteInspector.connect(listener);
    if (inspector !== undefined) await endInspector(inspector);
  }
}

async function endInspector(inspector: RemoteInspector, patienceMs = OPEN_MS): Promise<boolean> {
  // It has no answer: the connection ends with the inspector. Where that was gone already, so is the process.
  inspector.evaluate(CLOSE).catch(() => {});
  const timeout = new AbortController();
  const isClosed = await Promise.race([
    inspector.closed.then(() => true),
    delay(Math.max(0, patienceMs), false, { signal: timeout.signal }).catch(() => false),
  ]);
  timeout.abort();
  await inspector.close();
  return isClosed;
}

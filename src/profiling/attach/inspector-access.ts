/**
 * Opens the inspector of a running process and closes it again. Node opens it on SIGUSR1, in a thread of its own,
 * so also while the loop is blocked. Which port it is, the kernel's tables say: the one that the process listens
 * on now and did not before. Guessing 9229 would reach another process where several are inspected.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../../errors.js';
import {
  inspectorPort,
  isStill,
  isTaken,
  listeningPorts,
  nodeChildren,
  type ListeningPort,
  type NodeProcess,
} from './node-process.js';
import { RemoteInspector } from './remote-inspector.js';

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
  /** Ends the connection; where it was opened for us, the inspector too. Never throws. */
  release(): Promise<void>;
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
  const before = listeningPorts(pid);
  const candidate = before.find((listener) => listener.port === port || (asked && port === 0));
  const open = candidate === undefined ? undefined : await RemoteInspector.connect(candidate);
  if (open !== undefined) return { inspector: open, release: () => open.close() };
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
  process.kill(pid, 'SIGUSR1');
  const inspector = await connectWhenOpen(target, before, port);
  return {
    inspector,
    release: async () => {
      await endInspector(inspector);
      if (children.length > 0) await delay(CHILDREN_MS);
      for (const child of children) await closeNew(child.pid, child.before);
    },
  };
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
      // A service that just began to listen to the world is not asked.
      if (listener.host === '0.0.0.0' && listener.port !== port) continue;
      const inspector = await RemoteInspector.connect(listener);
      if (inspector !== undefined) return inspector;
    }
    if (!isStill(target))
      throw fail('PROCESS_NOT_FOUND', { pid, reason: 'it ended while it was attached to.' });
    if (performance.now() > deadline) {
      throw fail('INSPECTOR_REFUSED', {
        pid,
        reason: `it caught SIGUSR1 and opened no port within ${OPEN_MS / 1000} s, as a program does that listens for that signal itself.`,
        remedy: 'Start it with --inspect, or with the profiler: sysopt profile -- node app.js',
      });
    }
    await delay(POLL_MS);
  }
}

function newPorts(pid: number, before: readonly ListeningPort[]): ListeningPort[] {
  return listeningPorts(pid).filter(
    ({ host, port }) => !before.some((known) => known.port === port && known.host === host),
  );
}

async function closeNew(pid: number, before: readonly ListeningPort[]): Promise<void> {
  for (const listener of newPorts(pid, before)) {
    const inspector = await RemoteInspector.connect(listener);
    if (inspector !== undefined) await endInspector(inspector);
  }
}

async function endInspector(inspector: RemoteInspector): Promise<void> {
  // It has no answer: the connection ends with the inspector. Where that was gone already, so is the process.
  inspector.evaluate(CLOSE).catch(() => {});
  await Promise.race([inspector.closed, delay(OPEN_MS, undefined, { ref: false })]);
  await inspector.close();
}

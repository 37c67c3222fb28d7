/**
 * What runs in every thread of a pool: take tasks, messages and invitations, run them, wait.
 *
 * A thread that ran out of work spins briefly, before it does anything else: what follows a result closely is then met at
 * once. Then its event loop gets a turn, as it does once a millisecond in any case (every 4 among tasks that are longer), and
 * the thread sleeps in `Atomics.wait`, from which it wakes in 10 to 30 µs, against 50 to 70 µs through its event loop. That
 * would starve whatever tasks left behind (timers, sockets, output not yet written), so a thread with anything left on its
 * event loop waits there instead.
 *
 * Rejected: sleeping for a millisecond before that turn, in the hope of a task. A turn is a quarter of what a no-op
 * costs where threads sleep (3.5 of 13 µs of CPU), but the timer of such a sleep costs twice as much in a virtual machine.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { attach, loadMakers } from './attached-objects.js';
import { loadTask } from './load-task.js';
import { LoopControl, Partials } from './loop-control.js';
import { LoopParticipant } from './loop-participant.js';
import { Mailbox } from './mailbox.js';
import {
  FromWorker,
  ToWorker,
  type MessageFromWorker,
  type MessageToWorker,
  type WorkerSetup,
} from './messages.js';
import { freezeCopies } from './shared-data.js';
import type { AnyFunction } from './task.js';
import { TaskRunner, TURN_MS } from './task-runner.js';
import { Spinner } from './transport/spin.js';
import { WorkerLane } from './transport/worker-lane.js';

const setup = workerData as WorkerSetup;
const { port } = setup;
const mailbox = new Mailbox(setup.mailbox);
const lane: WorkerLane = new WorkerLane(setup.lane, port, readMail, (taskId) => tasks.labelOf(taskId));
const spinner = new Spinner(mailbox, setup.spin, setup.place, () => lane.memory.hasSubmitted);
const tasks: TaskRunner = new TaskRunner(lane, setup, readMail);
/** What Linux keeps of a thread's name. */
const MAX_NAME_BYTES = 15;
/** Awaiting it lets continuations run that were waiting. */
const SETTLED = Promise.resolve();
const loops = new Map<number, LoopParticipant>();
/** Messages about loops that were read and not yet followed: learning a loop takes an import. */
const loopMail: MessageToWorker[] = [];
let read = 0;

const send = (message: MessageFromWorker) => port.postMessage(message);

// A referenced port keeps the thread alive while it waits on its event loop. It has no listener: messages are taken
// with receiveMessageOnPort, in the order that suits the work.
port.ref();
// Made on first use, with ports of their own: make them before ports are counted.
void [process.stdout, process.stderr];
const { warning, tid } = await introduceThread(setup);
const ownPorts = countPorts(process.getActiveResourcesInfo());
send([FromWorker.READY, warning, tid]);
await serve();
process.exit(0);

async function serve(): Promise<void> {
  /** When the event loop last had a turn. */
  let turnAt = performance.now();
  let owesTurn = false;
  /** Whether it has worked since it last waited: only then more may follow closely. */
  let isWarm = false;
  while (!mailbox.isRetired) {
    const rings = mailbox.rings;
    // Before the mail: what the pool sends before it invites has then arrived.
    const loop = mailbox.takeInvitation();
    if (mailbox.posted !== read) readMail();
    while (loopMail.length > 0) await followLoopMail(loopMail.shift()!);
    if (loop !== 0) loops.get(loop)?.takePart();
    const hasRun = tasks.run();
    // Continuations of what tasks await or left behind; many asynchronous tasks are through then.
    if (hasRun) await SETTLED;
    owesTurn ||= hasRun;
    isWarm ||= hasRun || loop !== 0;
    const maySpin = isWarm && tasks.active === 0 && (mailbox.isRingComing || !lane.poolMaySleep);
    if (maySpin && performance.now() - turnAt < TURN_MS && spinner.spin(rings)) continue;
    if (owesTurn) {
      // One turn for immediates, ticks and promises that tasks left, and for errors in them.
      owesTurn = false;
      await nextTurn();
      turnAt = performance.now();
      if (lane.memory.hasSubmitted && tasks.hasRoom) continue;
    }
    if (mailbox.rings !== rings || (maySpin && spinner.spin(rings))) continue;
    isWarm = false;
    if (tasks.active > 0) await Promise.race([mailbox.nextRing(rings), tasks.nextSettled()]);
    else if (hasUnfinishedBusiness()) await mailbox.nextRing(rings);
    else mailbox.sleep(rings);
  }
}

function readMail(): void {
  let received: { message: MessageToWorker } | undefined;
  while ((received = receiveMessageOnPort(port) as typeof received) !== undefined) {
    read = (read + 1) | 0;
    const { message } = received;
    if (message[0] === ToWorker.ARGUMENTS) lane.deliver(message[1], message[2]);
    else if (message[0] === ToWorker.TASK) tasks.learn(message[1], message[2]);
    else loopMail.push(message);
  }
}

async function followLoopMail(message: MessageToWorker): Promise<void> {
  if (message[0] === ToWorker.LOOP) await learnLoop(message);
  else loops.delete(message[1]);
}

function hasUnfinishedBusiness(): boolean {
  const resources = process.getActiveResourcesInfo();
  return (
    countPorts(resources) > ownPorts ||
    resources.some((type) => type !== 'MessagePort' && type !== 'CloseReq') ||
    // The main thread writes a worker's output and asks for more through the worker's event loop.
    process.stdout.writableLength > 0 ||
    process.stderr.writableLength > 0
  );
}

function countPorts(resources: readonly string[]): number {
  return resources.filter((type) => type === 'MessagePort').length;
}

async function learnLoop([, loop, task, plain, control, partials, partialsVersion, attached]: Extract<
  MessageToWorker,
  readonly [typeof ToWorker.LOOP, ...unknown[]]
>): Promise<void> {
  let kernel: AnyFunction;
  let shared = plain;
  let unloadable: unknown;
  try {
    kernel = await loadTask(task);
    await loadMakers(attached);
    shared = attach({ plain, attached });
    freezeCopies(shared);
  } catch (error) {
    unloadable = error;
    kernel = () => {
      throw unloadable;
    };
  }
  loops.set(
    loop,
    new LoopParticipant({
      loop,
      kernel,
      loaded: unloadable === undefined,
      shared,
      control: new LoopControl(control),
      partials: partials && new Partials(partials),
      partialsVersion,
      mailbox,
      send,
    }),
  );
}

/** The kernel keeps 15 bytes. The number at the end tells the threads of a pool apart, so the pool's name gives way to it. */
function systemName(name: string): string {
  const number = name.slice(name.lastIndexOf('-'));
  const pool = [...name.slice(0, -number.length)];
  while (Buffer.byteLength(pool.join('')) + number.length > MAX_NAME_BYTES) pool.pop();
  return pool.join('') + number;
}

/** What the kernel calls the thread, and how it treats it. Nothing of it is worth failing for; what is not possible is told. */
async function introduceThread({
  name,
  cpus,
  nice,
}: WorkerSetup): Promise<{ warning?: string; tid: number }> {
  const refused: string[] = [];
  const attempt = (kept: string, change: () => unknown) => {
    try {
      change();
    } catch (error) {
      refused.push(`Thread "${name}" keeps its ${kept}: ${(error as Error).message}`);
    }
  };
  try {
    const { loadNative } = await import('../native/load.js');
    const native = loadNative();
    native.countComputeThread();
    attempt('default name', () => native.setThreadName(systemName(name)));
    attempt('CPUs', () =>
      // The thread that made this one may be pinned, and its mask was inherited.
      cpus.length > 0 ? native.setAffinity(0, Int32Array.from(cpus)) : native.useProcessAffinity(),
    );
    if (nice !== undefined) attempt(`priority, as nice ${nice} was refused`, () => native.setNice(0, nice));
    return { tid: native.currentThreadId(), ...(refused.length > 0 && { warning: refused.join('\n') }) };
  } catch (error) {
    return {
      tid: 0,
      warning: `Thread "${name}" keeps its default name, CPUs and priority: ${(error as Error).message}`,
    };
  }
}

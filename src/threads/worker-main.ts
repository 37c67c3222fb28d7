/**
 * What runs in every thread of a pool: take messages and invitations, run them, sleep.
 *
 * An idle thread sleeps in `Atomics.wait`, from which it wakes in 10 to 30 µs, against 50 to 70 µs through its event
 * loop. That would starve whatever tasks left behind (timers, sockets, output not yet written), so a thread
 * with anything left on its event loop waits there instead.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { packError } from './error-transfer.js';
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
import { isThenable, type AnyFunction, type Task } from './task.js';

const setup = workerData as WorkerSetup;
const { port } = setup;
const mailbox = new Mailbox(setup.mailbox);
const functions = new Map<number, AnyFunction>();
const loops = new Map<number, LoopParticipant>();

const send = (message: MessageFromWorker) => port.postMessage(message);

// A referenced port keeps the thread alive while it waits on its event loop. It has no listener: messages are taken
// with receiveMessageOnPort, in the order that suits the work.
port.ref();
// Made on first use, with ports of their own: make them before ports are counted.
void [process.stdout, process.stderr];
const warning = await introduceThread(setup);
const ownPorts = countPorts(process.getActiveResourcesInfo());
send([FromWorker.READY, warning]);
await serve();
process.exit(0);

async function serve(): Promise<void> {
  while (!mailbox.isRetired) {
    const rings = mailbox.rings;
    let ranTask = false;
    let received: { message: MessageToWorker } | undefined;
    while ((received = receiveMessageOnPort(port) as typeof received) !== undefined) {
      const { message } = received;
      if (message[0] === ToWorker.RUN) {
        const done = runTask(message[1], message[2], message[3], message[4]);
        if (done !== undefined) await done;
        ranTask = true;
      } else if (message[0] === ToWorker.LOOP) {
        await learnLoop(message[1], message[2], message[3], message[4], message[5]);
      } else {
        loops.delete(message[1]);
      }
    }
    const loop = mailbox.takeInvitation();
    if (loop !== 0) loops.get(loop)?.takePart();
    // One turn for immediates, ticks and promises that the task left, and for errors in them.
    if (ranTask) await nextTurn();
    if (hasUnfinishedBusiness()) await mailbox.nextRing(rings);
    else mailbox.sleep(rings);
  }
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

/** Undefined where the task ended before this returned. */
function runTask(
  call: number,
  taskId: number,
  args: unknown,
  task: Task | undefined,
): Promise<void> | undefined {
  const known = functions.get(taskId);
  if (known === undefined) return loadAndRun(call, taskId, args, task!);
  try {
    const value = known(args);
    if (isThenable(value)) return settle(call, value);
    send([FromWorker.RESULT, call, value]);
  } catch (error) {
    send([FromWorker.FAILURE, call, packError(error)]);
  }
  return undefined;
}

async function loadAndRun(call: number, taskId: number, args: unknown, task: Task): Promise<void> {
  try {
    functions.set(taskId, await loadTask(task));
  } catch (error) {
    send([FromWorker.FAILURE, call, packError(error)]);
    return;
  }
  await runTask(call, taskId, args, undefined);
}

async function settle(call: number, promise: PromiseLike<unknown>): Promise<void> {
  try {
    send([FromWorker.RESULT, call, await promise]);
  } catch (error) {
    send([FromWorker.FAILURE, call, packError(error)]);
  }
}

async function learnLoop(
  loop: number,
  task: Task,
  shared: unknown,
  control: SharedArrayBuffer,
  partials: SharedArrayBuffer | undefined,
): Promise<void> {
  let kernel: AnyFunction;
  let unloadable: unknown;
  try {
    kernel = await loadTask(task);
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
      mailbox,
      send,
    }),
  );
}

/** Name and CPUs of the thread. Neither is worth failing for; what is not possible comes back as a warning. */
async function introduceThread({ name, cpus }: WorkerSetup): Promise<string | undefined> {
  try {
    const { loadNative } = await import('../native/load.js');
    const native = loadNative();
    native.setThreadName(name);
    if (cpus.length > 0) native.setAffinity(0, Int32Array.from(cpus));
    return undefined;
  } catch (error) {
    return `Thread "${name}" keeps its default name or CPUs: ${(error as Error).message}`;
  }
}

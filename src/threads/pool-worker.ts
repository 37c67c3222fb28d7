/** One worker thread as its pool sees it. Knows nothing of queues and policies. */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { MessagePort, ResourceLimits, Transferable } from 'node:worker_threads';
import { Mailbox } from './mailbox.js';
import type { MessageFromWorker, MessageToWorker, WorkerSetup } from './messages.js';

export interface WorkerOptions {
  readonly name: string;
  readonly cpus: readonly number[];
  readonly resourceLimits?: ResourceLimits;
}

export interface WorkerListener {
  message(worker: PoolWorker, message: MessageFromWorker): void;
  /** A result that cannot be read in this thread. */
  unreadable(worker: PoolWorker, error: Error): void;
  /** Called once, after every message that the worker sent. `how` is a phrase for messages. */
  ended(worker: PoolWorker, how: string, error: Error | undefined): void;
}

export class PoolWorker {
  readonly mailbox = new Mailbox();
  readonly name: string;
  /** Numbers of the tasks, and of the loops, that this worker was told of. */
  readonly knownTasks = new Set<number>();
  readonly knownLoops = new Set<number>();
  /** When it last became idle (`performance.now()`); undefined while it starts or works. */
  idleSince: number | undefined;
  isReady = false;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  #error: Error | undefined;
  #ended: Promise<void>;

  constructor({ name, cpus, resourceLimits }: WorkerOptions, listener: WorkerListener) {
    this.name = name;
    const { port1, port2 } = new MessageChannel();
    const setup: WorkerSetup = { port: port2, mailbox: this.mailbox.buffer, name, cpus };
    this.#port = port1;
    this.#worker = new Worker(new URL('./worker-main.js', import.meta.url), {
      name,
      ...inheritableFlags(),
      workerData: setup,
      transferList: [port2],
      ...(resourceLimits && { resourceLimits }),
    });
    port1.on('message', (message: MessageFromWorker) => listener.message(this, message));
    port1.on('messageerror', (error) => listener.unreadable(this, error));
    this.#worker.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', (exitCode) => {
        // What it sent before it ended counts.
        let received: { message: unknown } | undefined;
        while ((received = receiveMessageOnPort(port1) as typeof received) !== undefined) {
          listener.message(this, received.message as MessageFromWorker);
        }
        port1.close();
        listener.ended(this, howItEnded(exitCode, this.#error), this.#error);
        resolve();
      });
    });
    // The pool keeps the event loop alive while there is work; idle threads must not.
    this.#worker.unref();
    port1.unref();
  }

  /** @throws DataCloneError where the message holds what cannot be cloned. Nothing was sent then. */
  send(message: MessageToWorker, transfer?: readonly Transferable[]): void {
    if (transfer === undefined) this.#port.postMessage(message);
    else this.#port.postMessage(message, transfer);
    this.mailbox.ring();
  }

  /** Resolves when the thread is gone. Ends endless loops too; a blocking system call it has to wait for. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
    await this.#ended;
  }

  /** Lets the thread end by itself as soon as it is idle. */
  async retire(): Promise<void> {
    this.mailbox.retire();
    await this.#ended;
  }
}

/** Flags that take a value in the next argument, where it is not given by `=`. */
const PRELOADING = new Set([
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
]);

/**
 * Workers inherit the process' flags, and Node then refuses to start them where `--input-type` is among them
 * (`node --input-type=module --eval …`). Flags that are given explicitly must not be flags of the whole process, so
 * in that case threads get what decides how modules load, and nothing else.
 */
function inheritableFlags(): { execArgv?: string[] } {
  const flags = process.execArgv;
  if (!flags.some((flag) => flag.startsWith('--input-type'))) return {};
  const execArgv: string[] = [];
  flags.forEach((flag, index) => {
    const [name = '', value] = flag.split('=', 2);
    if (!PRELOADING.has(name)) return;
    execArgv.push(flag);
    if (value === undefined) execArgv.push(flags[index + 1] ?? '');
  });
  return { execArgv };
}

function howItEnded(exitCode: number, error: Error | undefined): string {
  if (error === undefined) return `exit code ${exitCode}`;
  if ((error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY') return 'its heap was exhausted';
  return `uncaught ${error.name}: ${error.message}`;
}

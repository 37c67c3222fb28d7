/** One worker thread as its pool sees it. Knows nothing of queues and policies. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort, ResourceLimits, Transferable } from 'node:worker_threads';
import { Mailbox } from './mailbox.js';
import { FromWorker, type MessageFromWorker, type MessageToWorker, type WorkerSetup } from './messages.js';
import type { TaskCall } from './task-call.js';
import { Lane } from './transport/lane.js';
import { forfeitToken } from './transport/spin.js';

export interface WorkerOptions {
  readonly name: string;
  readonly place: number;
  readonly cpus: readonly number[];
  readonly nice: number | undefined;
  readonly concurrency: number;
  readonly stores: WorkerSetup['stores'];
  readonly spin: SharedArrayBuffer;
  readonly resourceLimits?: ResourceLimits;
}

export interface WorkerListener {
  message(worker: PoolWorker, message: MessageFromWorker): void;
  /** Tasks came back. */
  returned(worker: PoolWorker): void;
  /** Called once, after every message that the worker sent. `how` is a phrase for messages. */
  ended(worker: PoolWorker, how: string, error: Error | undefined): void;
}

export class PoolWorker {
  readonly mailbox = new Mailbox();
  readonly lane: Lane<TaskCall>;
  readonly name: string;
  readonly startedAt = performance.now();
  /** Numbers of the loops that this worker was told of. */
  readonly knownLoops = new Set<number>();
  /** When it last became idle (`performance.now()`); undefined while it starts or works. */
  idleSince: number | undefined;
  isReady = false;
  /** The kernel's id of the thread; undefined while it starts, and where it is not known. */
  tid: number | undefined;
  /** It is being ended and gets no more work. */
  isCondemned = false;
  /** Its task takes far longer than forecast: nothing should wait behind it. */
  isStuck = false;
  /** Forecast of the work in its lane, in ms. */
  backlogMs = 0;
  /** When its lane last gave something back, or got its first task. */
  progressAt = 0;
  /** Forecast of the tasks that it was given since it was last woken for one, in ms. */
  unrungMs = 0;
  /** It was asked to tell of results, and its answer was not read yet. */
  isListening = false;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  #error: Error | undefined;
  #ended: Promise<void>;

  constructor(options: WorkerOptions, listener: WorkerListener) {
    const { name, place, cpus, nice, concurrency, stores, spin, resourceLimits } = options;
    this.name = name;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.lane = new Lane({
      port: port1,
      post: (message, transfer) => this.#post(message, transfer),
      other: (message) => {
        if (message[0] === FromWorker.WAKE) listener.returned(this);
        else listener.message(this, message);
      },
    });
    const setup: WorkerSetup = {
      port: port2,
      mailbox: this.mailbox.buffer,
      lane: this.lane.memory.buffer,
      spin,
      place,
      name,
      cpus,
      nice,
      concurrency,
      stores,
    };
    this.#worker = new Worker(new URL('./worker-main.js', import.meta.url), {
      name,
      ...inheritableFlags(),
      workerData: setup,
      transferList: [port2],
      ...(resourceLimits && { resourceLimits }),
    });
    port1.on('message', (message: MessageFromWorker) => this.lane.handle(message));
    port1.on('messageerror', (error) => {
      this.lane.unreadable(error);
      listener.returned(this);
    });
    this.#worker.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', (exitCode) => {
        // What it sent before it ended counts.
        this.lane.receive();
        port1.close();
        forfeitToken(spin, place);
        listener.ended(this, howItEnded(exitCode, this.#error), this.#error);
        resolve();
      });
    });
    // The pool keeps the event loop alive while there is work; idle threads must not.
    this.#worker.unref();
    port1.unref();
  }

  #post(message: MessageToWorker, transfer?: readonly Transferable[]): void {
    if (transfer === undefined) this.#port.postMessage(message);
    else this.#port.postMessage(message, transfer);
    this.mailbox.countPosted();
  }

  /** @throws DataCloneError where the message holds what cannot be cloned. Nothing was sent then. */
  send(message: MessageToWorker): void {
    this.#post(message);
    this.mailbox.ring();
  }

  /** Resolves when the thread is gone. Ends endless loops too; a blocking system call it has to wait for. */
  async terminate(): Promise<void> {
    this.isCondemned = true;
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

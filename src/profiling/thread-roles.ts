/**
 * CPU time of this process' threads by what they are: workers, libuv's pool, helpers of V8 and Node. Once a second, in a
 * program that runs for months, so: one native call for all threads, a name asked for once a thread, nothing sent to a worker.
 *
 * Pool. Where the kernel's names tell it (`libuv-worker`, Node 24), by them; else by a no-op whose answer names the thread
 * that gave it, until as many are known as the pool has. It begins the pool where
 * the program has not used it yet, as loading a module does.
 *
 * Workers. Node names them only where it is new; else they are the youngest threads that nobody else claims, as many as
 * there are live `Worker`s: Node tells of each when it is made (diagnostics channel `worker_threads`). Workers that ran before
 * count as helpers there. The rejected alternative, asking each through the inspector as a profile does (samplers/workers.ts),
 * costs a session and an answer of the worker's.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { libuvThreads } from '../host/runtime-pools.js';
import type { NativeContract } from '../native/contract.js';
import { eachThread, threadRows } from '../native/thread-rows.js';
import { learnPoolThread } from './samplers/pool-queue.js';

const MAX_THREADS = 512;
const MAX_POOL_PROBES = 256;
const CHANNEL = 'worker_threads';
/** Names that threads have which nobody named, by Node's version. */
const UNNAMED = /^(node|MainThread)/i;

interface Thread {
  readonly tid: number;
  readonly name: string;
  onCpuNs: number;
  runnableNs: number;
  /** Since the reading before. */
  onCpuDeltaNs: number;
  runnableDeltaNs: number;
  seenIn: number;
}

/** Shares of one CPU since the reading before; NaN at the first, and where the kernel does not tell. */
export interface RoleShares {
  readonly workers: number;
  readonly pool: number;
  readonly runtime: number;
  /** Ready and waiting for a CPU, all of these. */
  readonly othersRunnable: number;
  /** Threads of the process, the calling one included; NaN where they cannot be listed. */
  readonly threads: number;
}

export class ThreadRoles implements Disposable {
  readonly #native: NativeContract;
  readonly #ownTid: number;
  readonly #rows = threadRows(MAX_THREADS);
  readonly #threads = new Map<number, Thread>();
  readonly #pool = new Set<number>();
  #workers: WeakRef<LiveWorker>[] = [];
  #reading = 0;
  #poolProbes = 0;
  readonly #onWorker = (message: unknown) => {
    this.#workers.push(new WeakRef((message as { worker: LiveWorker }).worker));
  };

  constructor(native: NativeContract) {
    this.#native = native;
    this.#ownTid = native.currentThreadId();
    subscribe(CHANNEL, this.#onWorker);
  }

  /** @param elapsedNs since the call before. */
  read(elapsedNs: number): RoleShares {
    const listed = this.#native.readThreads(this.#rows);
    const isFirst = this.#reading++ === 0;
    eachThread(this.#rows, listed, (tid, onCpuNs, runnableNs) => this.#see(tid, onCpuNs, runnableNs || 0));
    for (const { tid, seenIn } of this.#threads.values()) {
      if (seenIn !== this.#reading) this.#threads.delete(tid);
    }
    this.#probePool();
    const workers = this.#workerTids();
    let [workersNs, poolNs, runtimeNs, runnableNs] = [0, 0, 0, 0];
    for (const { tid, name, onCpuDeltaNs, runnableDeltaNs } of this.#threads.values()) {
      if (tid === this.#ownTid) continue;
      runnableNs += runnableDeltaNs;
      if (this.#isPool(tid, name)) poolNs += onCpuDeltaNs;
      else if (workers.has(tid)) workersNs += onCpuDeltaNs;
      else runtimeNs += onCpuDeltaNs;
    }
    const share = (ns: number) => (isFirst || this.#threads.size === 0 ? NaN : ns / elapsedNs);
    return {
      workers: share(workersNs),
      pool: share(poolNs),
      runtime: share(runtimeNs),
      othersRunnable: share(runnableNs),
      threads: listed || NaN,
    };
  }

  [Symbol.dispose](): void {
    unsubscribe(CHANNEL, this.#onWorker);
  }

  #see(tid: number, onCpuNs: number, runnableNs: number): void {
    let thread = this.#threads.get(tid);
    if (thread === undefined) {
      // One that began since the last reading began at nothing; at the first reading nobody looks at it.
      const name = this.#native.threadName(tid);
      thread = { tid, name, onCpuNs: 0, runnableNs: 0, onCpuDeltaNs: 0, runnableDeltaNs: 0, seenIn: 0 };
      this.#threads.set(tid, thread);
    }
    thread.onCpuDeltaNs = Math.max(0, onCpuNs - thread.onCpuNs);
    thread.runnableDeltaNs = Math.max(0, runnableNs - thread.runnableNs);
    thread.onCpuNs = onCpuNs;
    thread.runnableNs = runnableNs;
    thread.seenIn = this.#reading;
  }

  #isPool(tid: number, name: string): boolean {
    return this.#pool.has(tid) || name.startsWith('libuv-worker');
  }

  #workerTids(): ReadonlySet<number> {
    this.#workers = this.#workers.filter((ref) => (ref.deref()?.threadId ?? -1) >= 0);
    const named: number[] = [];
    const unclaimed: number[] = [];
    for (const { tid, name } of this.#threads.values()) {
      if (tid === this.#ownTid || this.#isPool(tid, name)) continue;
      if (/^WorkerThread/.test(name)) named.push(tid);
      else if (UNNAMED.test(name)) unclaimed.push(tid);
    }
    const left = Math.max(0, this.#workers.length - named.length);
    return new Set([...named, ...unclaimed.sort((a, b) => b - a).slice(0, left)]);
  }

  /** Several at once reach several threads. */
  #probePool(): void {
    const names = [...this.#threads.values()].some(({ name }) => name.startsWith('libuv-worker'));
    const missing = libuvThreads() - this.#pool.size;
    if (names || missing <= 0 || this.#poolProbes >= MAX_POOL_PROBES) return;
    for (let i = 0; i < Math.min(missing, 8); i += 1) {
      this.#poolProbes += 1;
      learnPoolThread(this.#pool);
    }
  }
}

/** What this needs to know of a `Worker`: -1 once it has ended. */
interface LiveWorker {
  readonly threadId: number;
}

/**
 * Threads that Node starts beside a program's own: libuv's pool (files, DNS look-ups, zlib, crypto) and V8's helpers (garbage
 * collection, compilation). How many there are, and what to ask for where they fight with the program for its CPUs.
 */

export interface RuntimePool {
  readonly threads: number;
  /** Where the number comes from. */
  readonly from: 'default' | 'UV_THREADPOOL_SIZE' | '--v8-pool-size' | 'CPUs';
}

export interface RuntimePools {
  readonly libuv: RuntimePool;
  readonly v8: RuntimePool;
}

/** What to start the process with, so that its pools do not fight; nothing of it has been measured. */
export interface PoolAdvice {
  /** Flags of Node; try one with `sysopt optimize --try-flag`. */
  readonly runtimeFlags: readonly string[];
  /** Variables of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Why, a sentence for each. */
  readonly reasons: readonly string[];
}

const DEFAULT_THREADS = 4;
const MAX_LIBUV = 1_024;
/** libuv's pool waits for files as well as it computes: somewhat more threads than CPUs do no harm. */
const LIBUV_PER_CPU = 4;
/** Helpers work while the program waits for them: each one beyond that has another's CPU. */
const V8_PER_CPU = 2;

interface Source {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly execArgv: readonly string[];
  readonly cpus: number;
}

/** Pure. `cpus` is what V8 goes by where it is told to choose. */
export function runtimePools(source: Source): RuntimePools {
  return { libuv: libuvPool(source.env['UV_THREADPOOL_SIZE']), v8: v8Pool(source) };
}

/** Of this process: those that libuv has, or will have once its pool is used. */
export function libuvThreads(): number {
  return libuvPool(process.env['UV_THREADPOOL_SIZE']).threads;
}

/** As libuv reads it: what is no number is 1, what is more than 1,024 is 1,024. */
function libuvPool(given: string | undefined): RuntimePool {
  if (given === undefined) return { threads: DEFAULT_THREADS, from: 'default' };
  const number = Number.parseInt(given, 10);
  const threads = Number.isNaN(number) || number === 0 ? 1 : number;
  // It is kept in an unsigned number: a negative one is a very large one.
  return { threads: threads < 0 ? MAX_LIBUV : Math.min(MAX_LIBUV, threads), from: 'UV_THREADPOOL_SIZE' };
}

/** The last one counts, and the command line over NODE_OPTIONS. */
function v8Pool({ env, execArgv, cpus }: Source): RuntimePool {
  const flags = [...(env['NODE_OPTIONS'] ?? '').split(/\s+/), ...execArgv];
  let given: number | undefined;
  flags.forEach((flag, index) => {
    const [name, value = flags[index + 1]] = flag.split('=', 2);
    if (name === '--v8-pool-size' && Number.isInteger(Number(value))) given = Number(value);
  });
  if (given === undefined) return { threads: DEFAULT_THREADS, from: 'default' };
  // 0 leaves it to Node, which goes by the CPUs, one of them for the program.
  if (given === 0) return { threads: Math.max(1, Math.ceil(cpus) - 1), from: 'CPUs' };
  return { threads: given, from: '--v8-pool-size' };
}

/** Pure. Empty where nothing fights. @param cpus that this process may use; may be a fraction. */
export function adviseOnPools({ libuv, v8 }: RuntimePools, cpus: number): PoolAdvice {
  const whole = Math.max(1, Math.ceil(cpus));
  const runtimeFlags: string[] = [];
  const environment: Record<string, string> = {};
  const reasons: string[] = [];
  if (v8.threads > V8_PER_CPU * Math.max(1, cpus)) {
    runtimeFlags.push(`--v8-pool-size=${whole}`);
    reasons.push(
      `V8 has ${v8.threads} helpers for garbage collection and compilation on ${cpus} CPUs: they take turns with the program.`,
    );
  }
  const fewer = fewerLibuvThreads(libuv.threads, cpus);
  if (fewer !== undefined) {
    environment['UV_THREADPOOL_SIZE'] = String(fewer);
    reasons.push(
      `libuv has ${libuv.threads} threads on ${cpus} CPUs: with zlib or crypto on all of them, the event loop waits its turn.`,
    );
  }
  return { runtimeFlags, environment, reasons };
}

/** Pure. How many instead, where libuv's pool has so many that they fight for the CPUs. */
export function fewerLibuvThreads(threads: number, cpus: number): number | undefined {
  if (threads <= Math.max(DEFAULT_THREADS, LIBUV_PER_CPU * cpus)) return undefined;
  return Math.max(DEFAULT_THREADS, Math.ceil(cpus));
}

/** Of this process. */
export function ownRuntimePools(cpus: number): RuntimePools {
  return runtimePools({ env: process.env, execArgv: process.execArgv, cpus });
}

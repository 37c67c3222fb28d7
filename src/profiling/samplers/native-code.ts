/**
 * Which native functions the profiled thread's CPU time goes into: V8's builtins and runtime, compiled regular
 * expressions, Node, libraries, the kernel. V8's own profiler sees JavaScript frames alone and books all of these on
 * the function that called them.
 *
 * The addon stops the thread by a timer on its own CPU clock, so that an idle loop is not woken, and keeps the
 * program counter with the callers that frame pointers lead to. It is one timer more beside V8's, and reads the
 * program's symbol table once, when all other samplers have stopped.
 *
 * Rejected: perf_event_open with a ring of call chains, which containers and most hosts refuse to unprivileged
 * processes; `--perf-basic-prof`, which has to be on from the start and names JavaScript, not what is below it.
 */
import type { MetricName } from '../../model/metric-catalogue.js';
import { unavailable, type UnavailableMetric } from '../../model/metric.js';
import type { NativeContract } from '../../native/contract.js';
import { formatShare } from '../../units.js';
import { summariseStacks } from '../native-code/summary.js';
import type { Gathered, Sampler, SamplingWindow } from '../sampler.js';

/** What this sampler gives a CPU run. */
export const NATIVE_METRICS: readonly MetricName[] = [
  'cpu.native.share',
  'cpu.interpreter.share',
  'cpu.native.samples',
];
const SHARES: readonly MetricName[] = ['cpu.native.share', 'cpu.interpreter.share'];
/**
 * CPU samples to a sample of native code. Two timers of one rate cost 6 % of a busy thread at 400 Hz, V8's alone 2 %; shares of
 * families need fewer samples than lines of functions do.
 */
const EVERY = 4;
const MOST_INTERVAL_US = 1_000_000;
/** Below, the rows say more about chance than about the program. */
const LEAST_SAMPLES = 20;
/** Of the samples in functions without names, from which on the result says so. */
const UNNAMED_SHARE = 0.05;

export class NativeCodeSampler implements Sampler {
  readonly name = 'native code';
  readonly #native: NativeContract;
  #isSampling = false;
  #maxFunctions = 0;
  #refusal: UnavailableMetric | undefined;

  constructor(native: NativeContract) {
    this.#native = native;
  }

  start({ type, samplingIntervalUs, maxFunctions }: SamplingWindow): void {
    if (type !== 'cpu') return;
    this.#maxFunctions = maxFunctions;
    try {
      this.#native.stackSamplesStart(Math.min(samplingIntervalUs * EVERY, MOST_INTERVAL_US));
      this.#isSampling = true;
    } catch (error) {
      this.#refusal = refusalOf(error, this.#native.implementation);
    }
  }

  /** Ends the timer alone: what follows is on the clock of samplers that still run. */
  stop(gathered: Gathered): void {
    if (this.#isSampling) this.#native.stackSamplesStop();
    else if (this.#refusal !== undefined) gathered.missing(NATIVE_METRICS, this.#refusal);
  }

  release(): void {
    // After a stop that failed, or one that never came.
    if (this.#isSampling) this.#native.stackSamplesStop();
    this.#isSampling = false;
  }

  /** The part that takes milliseconds, as a sampler to start first, and so to stop after all others. */
  naming(): Sampler {
    return { name: 'names of native code', start() {}, stop: (gathered) => this.#name(gathered) };
  }

  #name(gathered: Gathered): void {
    if (!this.#isSampling) return;
    this.#isSampling = false;
    const summary = summariseStacks(this.#native.stackSamplesTake(), this.#maxFunctions);
    const { samples, native, interpreter, functions, unnamed, unnamedModules } = summary;
    gathered.set('cpu.native.samples', samples);
    gathered.nativeFunctions = samples < LEAST_SAMPLES ? [] : functions;
    if (samples < LEAST_SAMPLES) {
      gathered.missing(
        SHARES,
        unavailable(
          'NO_SAMPLES',
          `The thread used its CPU for ${samples} samples of native code in the window.`,
          'Profile under load, or for longer.',
        ),
      );
      return;
    }
    gathered.set('cpu.native.share', native / samples);
    gathered.set('cpu.interpreter.share', interpreter / samples);
    if (unnamed / samples >= UNNAMED_SHARE) {
      gathered.warnings.push(
        `${formatShare(unnamed / samples)} of the CPU time lies in native functions without names, because ` +
          `${unnamedModules.join(', ')} ${unnamedModules.length === 1 ? 'has' : 'have'} no symbols for them. ` +
          'A build that was not stripped has, such as the official one of Node.',
      );
    }
  }
}

function refusalOf(error: unknown, implementation: NativeContract['implementation']): UnavailableMetric {
  const { code = '', message = String(error) } = error as {
    readonly code?: string;
    readonly message?: string;
  };
  if (implementation === 'fallback') {
    return unavailable(
      'NO_ADDON',
      'Native functions are sampled by the native addon, which is not loaded.',
      'Run sysopt doctor: it says why.',
    );
  }
  if (code === 'ENOTSUP') {
    return unavailable(
      'PLATFORM',
      'Native functions cannot be sampled on this operating system or processor.',
      'Run on Linux, on x86-64 or arm64, to have them.',
    );
  }
  if (code === 'EBUSY' || code === 'EALREADY') {
    return unavailable(
      'BUSY',
      `Native functions cannot be sampled now: ${message}.`,
      'Profile one thread at a time.',
    );
  }
  return unavailable(
    'NOT_PERMITTED',
    `The timer on the thread’s CPU clock was refused: ${message}.`,
    'Allow timer_create in the container’s seccomp profile.',
  );
}

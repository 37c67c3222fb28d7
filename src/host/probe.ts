/**
 * What this machine's memory, clock and calls really cost. Advertised figures lie on clouds, and the tuners' choices
 * hang on them: how large a working set is that no longer fits.
 */
import { freemem, totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import type { HostProbe, HostTopology } from '../model/host-probe.js';
import { measured, unavailable, type Metric, type Unit } from '../model/metric.js';
import { hostFingerprint } from './environment.js';
import { curveSizes, effectiveCaches } from './latency-curve.js';
import type { ProbeFigures, ProbeOrder } from './probe-worker.js';
import { lastAdvertisedCache, readTopology } from './topology.js';

export interface ProbeOptions {
  /** Time for all measurements together, 100 to 60,000 ms (2,000). On a busy machine it takes up to three times as long. */
  readonly budgetMs?: number;
  /** Aborting ends the measurement. */
  readonly signal?: AbortSignal;
}

const DEFAULT_BUDGET_MS = 2000;
const [MIN_BUDGET_MS, MAX_BUDGET_MS] = [100, 60_000];
/** Beyond the last cache by so much, memory itself is seen. */
const BEYOND_LAST_CACHE = 4;
const UNKNOWN_LAST_CACHE_BYTES = 32 * 2 ** 20;
const LARGEST_BYTES = 512 * 2 ** 20;
/** Setting memory up takes a virtual machine some 10 ms a megabyte at worst: 128 MiB in the default budget. */
const BYTES_PER_BUDGET_MS = 64 * 2 ** 10;
/** First cache, second cache, memory: with fewer levels, the last may be a cache that the curve does not leave. */
const LEVELS_WITH_MEMORY = 3;
/** Of the memory that is free or allowed, so that probing never brings a service down. */
const MEMORY_SHARE = 1 / 8;
const METHOD =
  'Random pointer chase over 64-byte lines, median of 7 windows a size; a level ends where latency rises a quarter above it.';

/**
 * Measures this host. Blocks a thread of its own, not the event loop; takes memory for four times the last cache, at
 * most an eighth of what is free. Other work on the machine shows in the figures: probe when it is idle.
 *
 * @throws INVALID_ARGUMENT for a budget outside its range and unknown options; the signal's reason when aborted. Never because something
 *   cannot be measured: that figure then says why.
 *
 * @example
 * const probe = await probeHost({ budgetMs: 1000 });
 * probe.effectiveCaches;    // [{ sizeBytes: 49152, latencyNs: 1.6 }, { sizeBytes: 2031616, latencyNs: 5.1 }, …]
 * probe.falseSharing;       // { available: true, value: 3.1, unit: 'ratio' }
 */
export async function probeHost(options: ProbeOptions = {}): Promise<HostProbe> {
  requireOptions('options of probeHost', options, ['budgetMs', 'signal']);
  const budgetMs: unknown = options.budgetMs ?? DEFAULT_BUDGET_MS;
  if (typeof budgetMs !== 'number' || !(budgetMs >= MIN_BUDGET_MS && budgetMs <= MAX_BUDGET_MS)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'budgetMs',
      actual: describe(budgetMs),
      expected: `a number from ${MIN_BUDGET_MS} to ${MAX_BUDGET_MS}`,
    });
  }
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'signal',
      actual: describe(signal),
      expected: 'an AbortSignal',
    });
  }
  signal?.throwIfAborted();
  const topology = readTopology();
  const startedMs = performance.now();
  const measuredAt = new Date().toISOString();
  const wantedBytes = Math.min(
    LARGEST_BYTES,
    BEYOND_LAST_CACHE * (lastAdvertisedCache(topology) ?? UNKNOWN_LAST_CACHE_BYTES),
  );
  const allowedBytes = Math.min(
    Math.min(freemem(), totalmem(), topology.cgroup.memoryLimitBytes ?? Infinity) * MEMORY_SHARE,
    budgetMs * BYTES_PER_BUDGET_MS,
  );
  const cores = twoCores(topology);
  const figures = await runWorker(
    {
      sizes: curveSizes(Math.max(2 ** 20, Math.min(wantedBytes, allowedBytes))),
      budgetMs,
      hugePages: topology.hugePages.transparent !== 'never',
      ...(cores !== undefined && { cores }),
    },
    signal,
  );
  const { caches, memoryLatencyNs } = effectiveCaches(figures.curve);
  const curveComplete = figures.curveComplete && wantedBytes <= allowedBytes;
  const seesMemory =
    memoryLatencyNs !== undefined && (curveComplete || caches.length + 1 >= LEVELS_WITH_MEMORY);
  return {
    schemaVersion: 1,
    label: 'estimated',
    measuredAt,
    durationMs: performance.now() - startedMs,
    method: METHOD,
    host: hostFingerprint(),
    topology,
    latencyCurve: figures.curve,
    pages: figures.pages,
    curveComplete,
    effectiveCaches: caches,
    memoryLatency: !seesMemory
      ? figures.curve.length === 0
        ? NEEDS_ADDON
        : unavailable(
            'CURVE_INCOMPLETE',
            'The latency curve did not reach main memory.',
            'Raise the budget, or free memory.',
          )
      : measured(memoryLatencyNs, 'ns'),
    pageWalk: pageWalk(figures),
    falseSharing: falseSharing(figures, topology, cores),
    readBandwidth: native(figures.bandwidth, 'bytes/s'),
    timerResolution: native(figures.clocks.resolutionNs, 'ns'),
    systemCall: native(figures.clocks.syscallNs, 'ns'),
    nativeCall: native(figures.nativeCallNs, 'ns'),
  };
}

const NEEDS_ADDON = unavailable(
  'NO_ADDON',
  'It is measured by the native addon, which is not loaded.',
  'Run `sysopt doctor` to see what would make the addon load.',
);

function native(value: number, unit: Unit): Metric {
  return Number.isFinite(value) ? measured(value, unit) : NEEDS_ADDON;
}

function falseSharing(
  { falseSharing: figure }: ProbeFigures,
  topology: HostTopology,
  cores: readonly [number, number] | undefined,
): Metric {
  if (cores === undefined) {
    const siblings = topology.allowedCpus.length > 1;
    return unavailable(
      siblings ? 'ONE_CORE_SIBLINGS' : 'ONE_CORE',
      siblings
        ? 'The CPUs that this process may use are threads of one core: they share its caches, and no line moves.'
        : 'This process may use one core only: no two threads can share a line at once.',
      'Allow two cores.',
    );
  }
  if (figure?.onTwoCpus !== true) {
    return unavailable(
      'NOT_PINNED',
      `Two threads could not be put on CPUs ${cores.join(' and ')}, or the kernel does not tell where they are.`,
      'Measure on Linux, with the addon, in a container that permits sched_setaffinity.',
    );
  }
  if (figure.ratio === undefined) {
    return unavailable(
      'BUSY',
      `Two threads were seen on CPUs ${cores.join(' and ')} at the same time in ${figure.windows} windows, too few to tell.`,
      'Probe again when the machine is idle, with two CPUs for this process.',
    );
  }
  // Its clock is the addon's.
  return native(figure.ratio, 'ratio');
}

function pageWalk({ largeSmallPagesNs: small, largeHugePagesNs: huge }: ProbeFigures): Metric {
  if (small !== undefined && !Number.isFinite(small)) return NEEDS_ADDON;
  if (huge === undefined) {
    return unavailable(
      'NO_HUGE_PAGES',
      'The kernel gave no huge pages to compare with.',
      'echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled',
    );
  }
  if (small === undefined) {
    return unavailable(
      'ALWAYS_HUGE_PAGES',
      'The kernel gives huge pages to all memory, so there are no small ones to compare with.',
      'echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled',
    );
  }
  // Noise may put it below zero where it is too small to be seen.
  return measured(Math.max(0, small - huge), 'ns');
}

/** CPUs on two cores that this process may use: two siblings of one core share its caches, and hide the cost. */
function twoCores({ allowedCpus, smtSiblings }: HostTopology): [number, number] | undefined {
  const [first] = allowedCpus;
  if (first === undefined) return undefined;
  const siblings = smtSiblings.find((group) => group.includes(first)) ?? [first];
  const second = allowedCpus.find((cpu) => !siblings.includes(cpu));
  return second === undefined ? undefined : [first, second];
}

function runWorker(order: ProbeOrder, signal: AbortSignal | undefined): Promise<ProbeFigures> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./probe-worker.js', import.meta.url), { workerData: order });
    let settled = false;
    const settle = (act: () => void) => {
      if (settled) return;
      settled = true;
      signal?.removeEventListener('abort', abort);
      void worker.terminate().then(act, act);
    };
    const abort = () => settle(() => reject(signal?.reason as Error));
    signal?.addEventListener('abort', abort, { once: true });
    worker.once('message', (figures: ProbeFigures) => settle(() => resolve(figures)));
    worker.once('error', (error) => settle(() => reject(error)));
    worker.once('exit', () => settle(() => reject(new Error('The probe ended without figures.'))));
  });
}

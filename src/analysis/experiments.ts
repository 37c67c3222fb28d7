/**
 * Experiments that are worth their seconds: where passive evidence leaves open a cause that it cannot decide on, a
 * recommendation proposes to measure it (`testCause`).
 *
 * A proposal is no finding. It never makes a healthy program sick, has the severity `info` and the confidence 0, because
 * nothing of its cause was measured, and says so. It is made only where the source shows the pattern, the profile shows
 * time on those very lines, and neither counters nor sizes speak against it.
 */
import type { ExperimentCause } from '../model/experiment.js';
import type { CodeLocation, Evidence, Finding } from '../model/finding.js';
import { metricValue, type Metrics } from '../model/metric.js';
import type { Action } from '../model/recommendation.js';
import type { OperationCost, ThreadProfile } from '../model/signals.js';
import { formatBytes, formatNumber, formatShare } from '../units.js';
import { capitalised } from './operation-finding.js';
import { DEFAULT_EXPORT_NAME, experimentTemplate, isExportName } from './experiment-templates.js';

/** What proposals go by, beside the findings. */
export interface ExperimentSignals {
  readonly metrics: Metrics;
  readonly operations?: readonly OperationCost[] | undefined;
  readonly threadProfiles?: readonly ThreadProfile[] | undefined;
  readonly durationMs?: number;
  /** Bytes of the last level of cache as programs find it here. Asked only where a proposal hangs on it. */
  readonly lastCacheBytes?: () => number;
}

export interface ProposedExperiment {
  readonly cause: ExperimentCause;
  readonly title: string;
  readonly location?: CodeLocation;
  readonly evidence: readonly Evidence[];
  readonly action: Extract<Action, { kind: 'experiment' }>;
}

/** Of the function's time, on lines that visit elements out of the order of memory. */
const SCATTERED_SHARE = 0.5;
/** Of a thread's time, on lines that write to shared memory. */
const SHARED_WRITE_SHARE = 0.25;
const LEAST_WRITERS = 2;
/** Last-level misses for a thousand instructions below which memory is not what a function waits for. */
const FEW_MISSES = 1;
/** Data larger than the last level by this much lies in main memory for the greater part. */
const BEYOND = 2;
/** A short measurement on a busy machine finds less than there is; nearly every processor has this much. */
const LEAST_CACHE_BYTES = 4 * 2 ** 20;
/** What the heap of a program without data of its own holds: Node, its modules, their code. */
const RUNTIME_HEAP_BYTES = 16 * 2 ** 20;

export function proposeExperiments(
  findings: readonly Finding[],
  signals: ExperimentSignals,
): ProposedExperiment[] {
  return [
    ...findings.flatMap((finding) => accessOrder(finding, signals)),
    ...lineSharing(findings, signals),
    ...findings.flatMap((finding) => lockChoice(finding)),
  ];
}

/** A function that computes on the loop, goes through memory out of order, and through more than caches hold. */
function accessOrder({ cause, location }: Finding, signals: ExperimentSignals): ProposedExperiment[] {
  if (cause !== 'sync-cpu' || location === undefined) return [];
  const own = (signals.operations ?? []).filter(
    (operation) =>
      operation.location.file === location.file && operation.location.function === location.function,
  );
  const share = sum(own, ({ scatteredMs }) => scatteredMs ?? 0) / sum(own, ({ totalMs }) => totalMs);
  if (!(share >= SCATTERED_SHARE)) return [];
  const size = beyondCaches(signals);
  if (size === undefined) return [];
  return [
    proposal('cache-unfriendly-access', location, {
      title: (place) => `Measure whether the order of its accesses costs ${place} time`,
      rationale: `${formatShare(share)} of the function’s time lies on lines that visit elements out of the order of memory, and ${size.statement} Whether the caches are missed, or the computation itself takes that long, no sample can tell: this is to be measured, it is no diagnosis.`,
      evidence: [
        {
          metric: 'source.scatteredAccess.share',
          value: share,
          unit: 'ratio',
          threshold: SCATTERED_SHARE,
          statement: `${formatShare(share)} of the function’s time lies on lines that visit elements out of the order of memory.`,
        },
        size.evidence,
      ],
    }),
  ];
}

/** Undefined where the caches can hold what the program works on, or miss next to nothing. */
function beyondCaches({
  metrics,
  lastCacheBytes,
}: ExperimentSignals): { readonly statement: string; readonly evidence: Evidence } | undefined {
  const instructions = metricValue(metrics['counter.main.instructions']);
  const misses = metricValue(metrics['counter.main.cacheMisses']);
  if (instructions !== undefined && misses !== undefined && instructions > 0) {
    const value = (misses / instructions) * 1000;
    if (value < FEW_MISSES) return undefined;
    const said = `the thread missed the last level of cache ${formatNumber(value)} times in a thousand instructions.`;
    return {
      statement: said,
      evidence: {
        metric: 'counter.main.cacheMisses',
        value,
        unit: 'count per 1000 instructions',
        threshold: FEW_MISSES,
        statement: capitalised(said),
      },
    };
  }
  if (lastCacheBytes === undefined) return undefined;
  const heap = metricValue(metrics['heap.used']) ?? 0;
  const value = (metricValue(metrics['external.used']) ?? 0) + Math.max(0, heap - RUNTIME_HEAP_BYTES);
  const cacheBytes = Math.max(LEAST_CACHE_BYTES, lastCacheBytes());
  if (value < cacheBytes * BEYOND) return undefined;
  const said = `the program holds ${formatBytes(value)} of data, more than the ${formatBytes(cacheBytes)} that the caches here hold.`;
  return {
    statement: said,
    evidence: {
      metric: 'memory.data',
      value,
      unit: 'bytes',
      threshold: cacheBytes * BEYOND,
      statement: capitalised(said),
    },
  };
}

interface Writer {
  readonly share: number;
  readonly greatest: OperationCost;
}

/** Threads that are busy writing to shared memory by the code of one file, and do not stand at a lock there. */
function lineSharing(findings: readonly Finding[], signals: ExperimentSignals): ProposedExperiment[] {
  const threads = [
    // Of a window without a known length no share can be told.
    ...(signals.durationMs === undefined
      ? []
      : [{ operations: signals.operations ?? [], sampledMs: signals.durationMs }]),
    ...(signals.threadProfiles ?? []),
  ];
  const byFile = new Map<string, Writer[]>();
  for (const { operations, sampledMs } of threads) {
    for (const file of new Set(operations.map(({ location }) => location.file))) {
      const own = operations.filter(({ location }) => location.file === file);
      const share = sum(own, ({ sharedWriteMs }) => sharedWriteMs ?? 0) / sampledMs;
      if (!(share >= SHARED_WRITE_SHARE)) continue;
      const greatest = own.reduce((a, b) => ((b.sharedWriteMs ?? 0) > (a.sharedWriteMs ?? 0) ? b : a));
      byFile.set(file, [...(byFile.get(file) ?? []), { share, greatest }]);
    }
  }
  return [...byFile].flatMap(([file, writers]) => {
    const hasLock = findings.some(
      ({ cause, location }) => cause === 'lock-contention' && location?.file === file,
    );
    if (writers.length < LEAST_WRITERS || hasLock) return [];
    const { location } = writers.reduce((a, b) => (b.share > a.share ? b : a)).greatest;
    const share = sum(writers, (writer) => writer.share) / writers.length;
    const said = `${writers.length} threads spent ${formatShare(share)} of their time on lines that write to shared memory.`;
    return [
      proposal('false-sharing', location, {
        title: (place) => `Measure whether the threads of ${place} write to cache lines of one another`,
        rationale: `${said} Writes that share a cache line and writes that do not look the same to every sampler: this is to be measured, it is no diagnosis.`,
        evidence: [
          {
            metric: 'source.sharedWrites.share',
            value: share,
            unit: 'ratio',
            threshold: SHARED_WRITE_SHARE,
            statement: said,
          },
        ],
      }),
    ];
  });
}

/** Which lock would do better is another question than whether threads wait at this one. */
function lockChoice({ cause, location, evidence }: Finding): ProposedExperiment[] {
  if (cause !== 'lock-contention' || location === undefined) return [];
  return [
    proposal('lock-contention', location, {
      title: (place) => `Measure what another lock than that of ${place} would give`,
      rationale:
        'That threads wait at this lock was measured; that another one, or a split of what it guards, would serve them better was not.',
      evidence,
    }),
  ];
}

interface Wording {
  readonly title: (place: string) => string;
  readonly rationale: string;
  readonly evidence: readonly Evidence[];
}

function proposal(
  cause: ExperimentCause,
  location: CodeLocation,
  { title, rationale, evidence }: Wording,
): ProposedExperiment {
  const { function: name, file, line } = location;
  const place = `${name} (${file}:${line})`;
  const exported = isExportName(name) ? name : DEFAULT_EXPORT_NAME;
  const template = experimentTemplate(cause, exported, place);
  return {
    cause,
    title: title(place),
    location,
    evidence,
    action: { kind: 'experiment', cause, rationale, export: exported, template },
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

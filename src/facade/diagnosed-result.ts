/**
 * From signals to the document that is stored: the diagnosis, what it recommends for the subjects that live here, and
 * where, when and on which machine it was taken.
 */
import { effectiveCacheBytes } from '../host/effective-cache.js';
import { captureEnvironment } from '../host/environment.js';
import type { analyse as Analyse } from '../analysis/analyse.js';
import type { recommend as Recommend } from '../analysis/recommend.js';
import type { Rule } from '../analysis/rule.js';
import { metricValue } from '../model/metric.js';
import type { Trigger } from '../model/trigger.js';
import type { ProfileTarget, ProfilingResult } from '../model/profiling-result.js';
import type { Action, Recommendation } from '../model/recommendation.js';
import type { Signals } from '../model/signals.js';
import type { Subject } from '../model/subject.js';
import { SCHEMA_VERSION } from '../model/types.js';
import { SourceLines } from './source-lines.js';
import { idMaker } from '../storage/ids.js';

/** What the signals do not say themselves. */
export interface ResultContext {
  readonly target: ProfileTarget;
  /** Why it was taken, where nobody asked for it. */
  readonly trigger?: Trigger | undefined;
  readonly subjects: readonly Subject[];
  /** Beside the built-in ones. */
  readonly rules?: readonly Rule[];
}

export type Diagnose = (signals: Signals, context: ResultContext) => ProfilingResult;

export async function diagnosedResult(signals: Signals, context: ResultContext): Promise<ProfilingResult> {
  return (await loadDiagnosis())(signals, context);
}

/** Loads what diagnosing takes, so that it can then be done without waiting: while the process exits, say. */
export async function loadDiagnosis(): Promise<Diagnose> {
  const [{ analyse }, { defaultRules }, { recommend }, newId] = await Promise.all([
    import('../analysis/analyse.js'),
    import('../analysis/rules/index.js'),
    import('../analysis/recommend.js'),
    idMaker(),
  ]);
  const parts = { analyse, defaultRules, recommend, newId };
  return (signals, context) => diagnose(signals, context, parts);
}

interface Parts {
  readonly analyse: typeof Analyse;
  readonly defaultRules: readonly Rule[];
  readonly recommend: typeof Recommend;
  readonly newId: (prefix: string) => string;
}

function diagnose(
  signals: Signals,
  { target, trigger, subjects, rules = [] }: ResultContext,
  { analyse, defaultRules, recommend, newId }: Parts,
): ProfilingResult {
  const id = newId(signals.type);
  const createdAt = new Date().toISOString();
  const warnings = [...signals.warnings];
  const analysis = analyse(signals, [...defaultRules, ...rules], (warning) => warnings.push(warning));
  const environment = captureEnvironment();
  const memoryBytes = Math.min(
    environment.host.memoryBytes,
    metricValue(signals.metrics['cgroup.memory.limit']) ?? Infinity,
  );
  const advised = {
    resultId: id,
    type: signals.type,
    subjects,
    metrics: signals.metrics,
    memoryBytes,
    operations: signals.operations,
    threadProfiles: signals.threadProfiles,
    durationMs: signals.durationMs,
    lastCacheBytes: () => effectiveCacheBytes().last,
  };
  const sources = new SourceLines();
  const recommendations: Recommendation[] = [];
  for (const advice of recommend(analysis, advised)) {
    const identity = { schemaVersion: SCHEMA_VERSION, id: newId('recommendation'), createdAt };
    recommendations.push({ ...identity, ...advice, action: withSource(advice, sources) });
  }
  const { type, durationMs, metrics, timeline, functions, allocations, callTree } = signals;
  const { activities, threads, threadProfiles, nativeFunctions, retainers } = signals;
  return {
    schemaVersion: SCHEMA_VERSION,
    id,
    type,
    createdAt,
    durationMs,
    target,
    ...(trigger && { trigger }),
    environment,
    metrics,
    timeline,
    functions,
    allocations,
    callTree,
    ...(nativeFunctions && { nativeFunctions }),
    ...(retainers && { retainers }),
    ...(activities && { activities }),
    ...(threads && { threads }),
    ...(threadProfiles && { threadProfiles }),
    analysis,
    recommendations,
    warnings,
  };
}

/** A change to the code with the line that it is about. */
function withSource(
  { action, location }: Pick<Recommendation, 'action' | 'location'>,
  sources: SourceLines,
): Action {
  if (action.kind !== 'code-change' || location === undefined) return action;
  const source = sources.at(location);
  return source === undefined ? action : { ...action, source };
}

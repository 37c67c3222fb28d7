/**
 * What stored documents look like. They are checked when they are written and when they are read; fields that
 * this version does not know are let through, so that a newer minor version's documents stay readable.
 * Loads zod: imported when the first document is read or written.
 */
import { z } from 'zod';
import { describe, fail } from '../errors.js';
import { ACTION_KINDS } from '../model/recommendation.js';
import { OPTIMIZATION_STATUSES, OptimizationType, ProfileType, SCHEMA_VERSION } from '../model/types.js';
import { corrupt } from './storage-error.js';

const timestamp = z.iso.datetime({ offset: true });
const id = z.string().min(1).max(128);
const texts = z.array(z.string());
const share = z.number().min(0).max(1);
const interval = z.tuple([z.number(), z.number()]);
const plainObject = z.record(z.string(), z.unknown());

const environment = z.looseObject({
  host: z.looseObject({
    id: z.string(),
    platform: z.string(),
    arch: z.string(),
    cpuModel: z.string(),
    logicalCpus: z.number(),
    memoryBytes: z.number(),
    kernel: z.string(),
  }),
  node: z.string(),
  v8: z.string(),
  flags: texts,
  libraryVersion: z.string(),
});

const comparison = z.looseObject({
  form: z.string(),
  baseline: z.string(),
  candidate: z.string(),
  verdict: z.enum(['faster', 'slower', 'equivalent', 'inconclusive']),
  ratio: z.number(),
  interval: interval.nullable(),
  confidenceLevel: z.number(),
  equivalenceMargin: z.number(),
  processes: z.number(),
  pairs: z.number(),
  elapsedMs: z.number(),
  minimumDetectableEffect: z.number().nullable(),
  measure: z.string(),
  baselineCost: z.number(),
  candidateCost: z.number(),
  unit: z.string(),
  costs: z.array(plainObject),
  environment,
  warnings: texts,
});

const choice = z.looseObject({ kind: z.enum(['memory', 'pool', 'size_classes', 'computation', 'thread']) });

const header = { schemaVersion: z.number().int().min(1), id, createdAt: timestamp };

const profile = z.looseObject({
  ...header,
  type: z.enum(Object.values(OptimizationType)),
  elapsedMs: z.number(),
  subject: z.looseObject({
    kind: z.enum(['reference', 'struct', 'pool', 'computation', 'job', 'workload']),
    name: z.string(),
  }),
  settings: plainObject,
  plan: plainObject,
  status: z.enum(OPTIMIZATION_STATUSES as [string, ...string[]]),
  validation: comparison.nullable(),
  comparisons: z.array(comparison),
  choice: choice.nullable(),
  environment,
  warnings: texts,
  others: texts.optional(),
});

const metric = z.union([
  z.looseObject({ available: z.literal(true), value: z.number(), unit: z.string() }),
  z.looseObject({
    available: z.literal(false),
    reason: z.string(),
    message: z.string(),
    remedy: z.string(),
  }),
]);

const evidence = z.looseObject({
  metric: z.string(),
  value: z.number(),
  unit: z.string(),
  statement: z.string(),
});
const location = z.looseObject({ function: z.string(), file: z.string(), line: z.number() });
const severity = z.enum(['info', 'low', 'medium', 'high', 'critical']);

/** A profiling result without its parts, which have files of their own. */
const result = z.looseObject({
  ...header,
  type: z.enum(Object.values(ProfileType)),
  durationMs: z.number(),
  target: z.looseObject({ pid: z.number(), description: z.string() }),
  environment,
  metrics: z.record(z.string(), metric),
  functions: z.array(plainObject),
  allocations: z.array(plainObject),
  callTree: plainObject.nullable(),
  warnings: texts,
  parts: z.looseObject({ analysis: z.string(), metrics: z.string(), recommendations: z.array(id) }),
});

const analysis = z.looseObject({
  ...header,
  findings: z.array(
    z.looseObject({
      cause: z.string(),
      severity,
      confidence: share,
      title: z.string(),
      location: location.optional(),
      evidence: z.array(evidence),
      ruledOut: z.array(plainObject),
    }),
  ),
  ruledOut: z.array(plainObject),
  summary: z.string(),
});

const recommendation = z.looseObject({
  ...header,
  resultId: id,
  cause: z.string(),
  severity,
  confidence: share,
  title: z.string(),
  evidence: z.array(evidence),
  location: location.optional(),
  action: z.looseObject({
    kind: z.enum(ACTION_KINDS),
  }),
  outcome: z
    .looseObject({
      status: z.string(),
      profileId: z.string().optional(),
      comparisonId: z.string().optional(),
      appliedAt: timestamp,
    })
    .optional(),
});

const storedComparison = z.looseObject({
  ...header,
  name: z.string().min(1),
  changedBy: z.enum(['tool', 'person']),
  comparison,
});

const SCHEMAS = { profile, result, analysis, recommendation, comparison: storedComparison };
export type StoredKind = keyof typeof SCHEMAS;

/**
 * Text of a document, checked.
 *
 * @throws INVALID_ARGUMENT naming the first field that does not belong in a stored document: NaN, a missing part.
 */
export function encode(kind: StoredKind, document: object): string {
  const { error } = SCHEMAS[kind].safeParse(document);
  if (error) {
    const { path, message } = error.issues[0]!;
    const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], document);
    const name = [kind, ...path].map(String).join('.');
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: message });
  }
  try {
    return `${JSON.stringify(document, null, 2)}\n`;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fail(
      'INVALID_ARGUMENT',
      { name: kind, actual: `not storable (${reason})`, expected: 'plain JSON' },
      { cause },
    );
  }
}

/**
 * A document from its text, checked.
 *
 * @throws DOCUMENT_CORRUPT naming the file and the field; DOCUMENT_TOO_NEW for a later schema version.
 */
export function decode(kind: StoredKind, path: string, text: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw corrupt(path, error);
  }
  checkVersion(path, document);
  const { error } = SCHEMAS[kind].safeParse(document);
  if (!error) return document as Record<string, unknown>;
  const issue = error.issues[0]!;
  const field = issue.path.length === 0 ? 'the document' : `"${issue.path.map(String).join('.')}"`;
  throw corrupt(path, `${field}: ${issue.message}`);
}

function checkVersion(path: string, document: unknown): void {
  const found = (document as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof found === 'number' && found > SCHEMA_VERSION) {
    throw fail('DOCUMENT_TOO_NEW', { path, found, supported: SCHEMA_VERSION });
  }
}

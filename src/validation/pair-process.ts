/**
 * Entry of a fresh process that measures one replicate of two module exports. Started by `fresh-processes.ts`
 * with the exchange folder as its only argument; not part of the public interface.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { SideThrew, bindCall } from './batch.js';
import { measureReplicate } from './pair-measurement.js';
import {
  REPLY_FILE,
  REQUEST_FILE,
  STAGE_FILE,
  type PairFailure,
  type PairReply,
  type PairRequest,
  type RequestedSide,
} from './pair-protocol.js';
import { disagreement, openSide, type OpenedSide } from './sides.js';

type AnyFunction = (...args: unknown[]) => unknown;

/** Ends the replicate with a failure that has a name. */
class Failed extends Error {
  readonly failure: PairFailure;

  constructor(failure: PairFailure) {
    super(failure.kind);
    this.failure = failure;
  }
}

const folder = process.argv[2]!;
const request = deserialize(readFileSync(join(folder, REQUEST_FILE))) as PairRequest;

function stage(text: string): void {
  writeFileSync(join(folder, STAGE_FILE), text);
}

/** The parent cannot stop this process if it was killed itself. */
function endWithParent(): void {
  if (process.ppid !== request.parentPid) process.exit(1);
}

async function loadSide(index: 0 | 1): Promise<{ call: () => unknown; args: readonly unknown[] }> {
  const wanted = request.sides[index];
  stage(`${wanted.label} (while it was loaded)`);
  const fn = await loadExport(wanted, index);
  const args = deserialize(wanted.args) as readonly unknown[];
  if (!wanted.factory) return { call: bindCall(fn, args), args };
  stage(`${wanted.label} (in its factory)`);
  let made: unknown;
  try {
    made = await fn(...args);
  } catch (cause) {
    throw new SideThrew(wanted.label, cause);
  }
  if (typeof made === 'function') return { call: made as () => unknown, args: [] };
  throw new Failed({
    kind: 'load',
    label: wanted.label,
    reason: `its factory returned ${made === null ? 'null' : `a value of type ${typeof made}`}`,
    remedy: 'Return the function to time, or leave `factory` out.',
  });
}

async function loadExport(wanted: RequestedSide, index: 0 | 1): Promise<AnyFunction> {
  let exports: Record<string, unknown>;
  try {
    exports = (await import(urlFor(wanted.url, index))) as Record<string, unknown>;
  } catch (cause) {
    throw new Failed({ kind: 'load', label: wanted.label, ...reasonOf(cause, wanted.url) });
  }
  const fallback = exports.default as Record<string, unknown> | undefined;
  const value = exports[wanted.export] ?? fallback?.[wanted.export];
  if (typeof value === 'function') return value as AnyFunction;
  const names = Object.keys(exports);
  throw new Failed({
    kind: 'load',
    label: wanted.label,
    reason:
      value === undefined
        ? `${wanted.url} has no export "${wanted.export}"`
        : `export "${wanted.export}" of ${wanted.url} is no function`,
    remedy: names.length > 0 ? `It exports: ${names.join(', ')}.` : 'It exports nothing.',
  });
}

/**
 * Two exports of one file get an instance of the module each. Otherwise both would share the type feedback of
 * its inner functions, and one side's data would slow the other.
 */
function urlFor(url: string, index: 0 | 1): string {
  if (!url.startsWith('file:') || request.sides[0].url !== request.sides[1].url) return url;
  return `${url}${url.includes('?') ? '&' : '?'}side=${index}`;
}

function reasonOf(cause: unknown, url: string): { reason: string; remedy: string } {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return {
      reason: `Node cannot load ${url}`,
      remedy: 'Compile it first, or start this process with the loader that you use (node --import …).',
    };
  }
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return {
      reason: message.replace(/ imported from .*$/s, ''),
      remedy: 'Check the path; relative ones count from the working directory.',
    };
  }
  const name = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return { reason: name, remedy: 'Import the module alone to see the whole error.' };
}

async function openBoth(calls: readonly [() => unknown, () => unknown]): Promise<[OpenedSide, OpenedSide]> {
  const opened: OpenedSide[] = [];
  for (const index of [request.first, 1 - request.first] as (0 | 1)[]) {
    const { label } = request.sides[index];
    stage(`${label} (in its first call)`);
    opened[index] = await openSide(label, calls[index]);
  }
  return opened as [OpenedSide, OpenedSide];
}

/**
 * A function that returns a function is most often a factory that was not called one: its making would be timed, and the
 * check could not tell, because nothing of two functions can be compared.
 */
function refuseUncalled(results: readonly [unknown, unknown]): void {
  for (const index of [0, 1] as const) {
    const { label, factory } = request.sides[index];
    if (factory || typeof results[index] !== 'function') continue;
    throw new Failed({
      kind: 'load',
      label,
      reason: 'it returned a function, which would not be timed',
      remedy:
        'Give `factory: true` (--factory) to time what it returns; to time its making, `checkResults: false`.',
    });
  }
}

async function measure(): Promise<PairReply> {
  const loaded: { call: () => unknown; args: readonly unknown[] }[] = [];
  for (const index of [request.first, 1 - request.first] as (0 | 1)[]) loaded[index] = await loadSide(index);
  const opened = await openBoth([loaded[0]!.call, loaded[1]!.call]);
  const results = [opened[0].result, opened[1].result] as const;
  if (request.check !== false) refuseUncalled(results);
  if (request.check !== 'return') {
    const difference = disagreement(request.check, ...results);
    if (difference !== null) return { ok: false, failure: { kind: 'disagree', difference } };
  }

  stage(`${request.sides[0].label} or ${request.sides[1].label} (while they took turns)`);
  const replicate = await measureReplicate([opened[0].side, opened[1].side], {
    measure: request.measure,
    first: request.first,
    emptyCall: bindCall(() => undefined, loaded[0]!.args),
    breathe: endWithParent,
  });
  for (const index of [0, 1] as const) {
    // A side that is as cheap as nothing and returns nothing was measured without its work.
    if (replicate.flags.includes(`dead-code:${index}`) && results[index] === undefined) {
      const costNs = index === 0 ? replicate.baselineCost : replicate.candidateCost;
      const { label } = request.sides[index];
      return { ok: false, failure: { kind: 'zero-work', label, costNs } };
    }
  }
  return { ok: true, replicate, ...(request.check === 'return' && { results }) };
}

async function answer(): Promise<PairReply> {
  try {
    return await measure();
  } catch (error) {
    if (error instanceof Failed) return { ok: false, failure: error.failure };
    if (!(error instanceof SideThrew)) throw error;
    const { label, message, cause } = error;
    const stack = cause instanceof Error ? cause.stack : undefined;
    return { ok: false, failure: { kind: 'threw', label, reason: message, ...(stack && { stack }) } };
  }
}

function encode(reply: PairReply): Uint8Array {
  try {
    return serialize(reply);
  } catch (cause) {
    const reason = (cause as Error).message;
    return serialize({ ok: false, failure: { kind: 'not-clonable', reason } } satisfies PairReply);
  }
}

writeFileSync(join(folder, REPLY_FILE), encode(await answer()));
// Not left to run out: the modules may hold timers, servers or workers.
process.exit(0);

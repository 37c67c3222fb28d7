/**
 * Replicates inside this process, for functions that no other process can load. Blocks of pairs take the place
 * of processes. What they cannot show is the error that the whole process shares; see `SHARED_DEVIATION`.
 */
import { setImmediate } from 'node:timers/promises';
import { fail } from '../errors.js';
import { SideThrew } from './batch.js';
import type { Experiment } from './experiment.js';
import type { ResolvedOptions } from './options.js';
import { measureReplicate, type Replicate } from './pair-measurement.js';
import { DISAGREEMENT_REMEDY, disagreement, openSide, type OpenedSide } from './sides.js';

/**
 * Standard deviation of a paired log ratio from one process to the next, which blocks within one process share
 * and so cannot see. Measured at 0.004 to 0.016 over workloads of different character; taken near the top.
 */
const SHARED_DEVIATION = 0.012;

const WARNING =
  'Measured within one process: an error of about 1.2 % that differs between processes cannot be seen, and the ' +
  'interval is widened for it. Pass { module, export } for the strong form.';

/** Time in measured batches per block. */
const BLOCK_MS = 40;

type Sides = readonly [OpenedSide, OpenedSide];

/** A replicate is a block of pairs. Calls both functions once and checks that they agree before it returns. */
export async function inProcessExperiment(
  functions: readonly [() => unknown, () => unknown],
  labels: readonly [string, string],
  options: ResolvedOptions,
): Promise<Experiment> {
  const sides = await openFunctions(functions, labels, options);
  return {
    form: 'in-process',
    labels,
    replicateName: 'blocks',
    unit: 'ns',
    sharedDeviation: SHARED_DEVIATION,
    warnings: [WARNING],
    replicate: (index) => measureBlock(sides, index, options),
  };
}

async function openFunctions(
  functions: readonly [() => unknown, () => unknown],
  labels: readonly [string, string],
  options: ResolvedOptions,
): Promise<Sides> {
  const sides = [
    await guarded(labels[0], () => openSide(labels[0], functions[0]), options),
    await guarded(labels[1], () => openSide(labels[1], functions[1]), options),
  ] as const;
  const difference = disagreement(options.checkResults, sides[0].result, sides[1].result);
  if (difference === null) return sides;
  throw fail('SUBJECTS_DISAGREE', {
    candidate: labels[1],
    baseline: labels[0],
    difference,
    remedy: DISAGREEMENT_REMEDY,
  });
}

/** Measures block `index`. Gives the event loop a turn between pairs. */
async function measureBlock(sides: Sides, index: number, options: ResolvedOptions): Promise<Replicate> {
  const replicate = await guarded(
    `${sides[0].side.label} or ${sides[1].side.label}`,
    () =>
      measureReplicate([sides[0].side, sides[1].side], {
        measure: options.measure === 'cpu' ? 'cpu' : 'time',
        first: (index % 2) as 0 | 1,
        emptyCall: () => undefined,
        breathe: async () => {
          await setImmediate();
          if (options.signal?.aborted) throw fail('ABORTED', { what: 'The comparison' });
        },
        measuredMs: BLOCK_MS,
        isWarm: index > 0,
      }),
    options,
  );
  for (const side of [0, 1] as const) {
    if (replicate.flags.includes(`dead-code:${side}`) && sides[side].result === undefined) {
      const costNs = side === 0 ? replicate.baselineCost : replicate.candidateCost;
      throw fail('ZERO_WORK', { subject: sides[side].side.label, costNs: Number(costNs.toPrecision(3)) });
    }
  }
  return replicate;
}

/**
 * Names errors and stops waiting for promises that never settle. A synchronous endless loop cannot be stopped
 * from within its own thread: only the module form is safe from that.
 */
async function guarded<T>(subject: string, work: () => Promise<T>, options: ResolvedOptions): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const ended = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(fail('SUBJECT_TIMED_OUT', { subject, timeoutMs: options.timeoutMs }));
    }, options.timeoutMs);
    onAbort = () => reject(fail('ABORTED', { what: 'The comparison' }));
    options.signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work(), ended]);
  } catch (error) {
    if (!(error instanceof SideThrew)) throw error;
    throw fail('SUBJECT_THREW', { subject: error.label, reason: error.message }, { cause: error.cause });
  } finally {
    clearTimeout(timer);
    if (onAbort) options.signal?.removeEventListener('abort', onAbort);
  }
}

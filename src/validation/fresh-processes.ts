/**
 * Replicates in fresh processes. Where code and data of a process come to lie, what it compiles when, and which
 * CPU it starts on is drawn once per process and then biases every measurement in it the same way: pairs
 * inside one process cannot average that out, only more processes can (Kalibera & Jones 2013; Georges et al. 2007).
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { fail } from '../errors.js';
import { startProgram, type Program } from '../host/program.js';
import type { Experiment } from './experiment.js';
import type { ResolvedOptions } from './options.js';
import type { Replicate } from './pair-measurement.js';
import {
  REPLY_FILE,
  REQUEST_FILE,
  STAGE_FILE,
  type PairFailure,
  type PairReply,
  type PairRequest,
} from './pair-protocol.js';
import { DISAGREEMENT_REMEDY, disagreement } from './sides.js';
import type { ResolvedModule } from './subject.js';

const ENTRY = fileURLToPath(new URL('./pair-process.js', import.meta.url));

/** Flags of this process that would make no sense, or do harm, in a measured one. */
const NOT_INHERITED =
  /^(--inspect|--debug|--eval|-e$|--print|-p$|-pe$|--check|-c$|--interactive|-i$|--test|--watch|--cpu-prof|--heap-prof|--prof|--input-type|--title)/;

/** A replicate is a process that loads both sides and measures them in pairs. */
export function freshProcessExperiment(
  sides: readonly [ResolvedModule, ResolvedModule],
  options: ResolvedOptions,
): Experiment {
  return {
    form: 'fresh-processes',
    labels: [sides[0].label, sides[1].label],
    replicateName: 'processes',
    unit: 'ns',
    warnings: [],
    replicate: (index) => measureInFreshProcess(sides, index, options),
  };
}

async function measureInFreshProcess(
  sides: readonly [ResolvedModule, ResolvedModule],
  index: number,
  options: ResolvedOptions,
): Promise<Replicate> {
  const { checkResults } = options;
  const request: PairRequest = {
    parentPid: process.pid,
    measure: options.measure === 'cpu' ? 'cpu' : 'time',
    first: (index % 2) as 0 | 1,
    check: typeof checkResults === 'function' ? 'return' : checkResults,
    sides: [requestedSide(sides[0], 'baseline'), requestedSide(sides[1], 'candidate')],
  };
  const reply = await exchange(request, options);
  if (!reply.ok) throw errorFor(reply.failure, sides);
  if (reply.results) {
    const difference = disagreement(checkResults, ...reply.results);
    if (difference !== null) throw errorFor({ kind: 'disagree', difference }, sides);
  }
  return reply.replicate;
}

function requestedSide(side: ResolvedModule, name: string): PairRequest['sides'][0] {
  const { url, factory, label } = side;
  try {
    return { url, export: side.export, factory, label, args: serialize(side.args) };
  } catch (cause) {
    throw fail(
      'INVALID_ARGUMENT',
      {
        name: `${name}.args`,
        actual: `nothing that a fresh process can receive (${(cause as Error).message})`,
        expected: 'values that can be structured-cloned, or make them in a factory',
      },
      { cause },
    );
  }
}

async function exchange(request: PairRequest, options: ResolvedOptions): Promise<PairReply> {
  const folder = await mkdtemp(join(tmpdir(), `sysopt-compare-${process.pid}-`));
  let program: Program | undefined;
  try {
    await writeFile(join(folder, REQUEST_FILE), serialize(request));
    program = await startProgram(processCommand(folder, options), {
      ...(options.signal && { signal: options.signal }),
    });
    const timeout = new AbortController();
    const ended = await Promise.race([
      program.exited,
      delay(options.timeoutMs, undefined, { signal: timeout.signal }).catch(() => undefined),
    ]);
    timeout.abort();
    if (options.signal?.aborted) throw fail('ABORTED', { what: 'The comparison' });
    if (!ended)
      throw fail('SUBJECT_TIMED_OUT', { subject: await stageIn(folder), timeoutMs: options.timeoutMs });
    const reply = await readFile(join(folder, REPLY_FILE)).catch(() => undefined);
    if (!reply) {
      const output = program.output() || '(none)';
      throw fail('SUBJECT_DIED', { subject: await stageIn(folder), how: ended.how, output });
    }
    return deserialize(reply) as PairReply;
  } finally {
    await program?.stop(200);
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The command runs under a limit on CPU time where there is a shell to set one: if this process is killed while
 * a subject loops for ever, nobody is left to stop it but the kernel.
 */
function processCommand(folder: string, options: ResolvedOptions): string[] {
  const inherited = process.execArgv.filter((flag) => !NOT_INHERITED.test(flag));
  const node = [process.execPath, ...inherited, ...options.nodeFlags, ENTRY, folder];
  if (!existsSync('/bin/sh')) return node;
  const limitSeconds = Math.ceil(options.timeoutMs / 1000) * availableParallelism() + 5;
  return ['/bin/sh', '-c', `ulimit -t ${limitSeconds} 2>/dev/null; exec "$0" "$@"`, ...node];
}

async function stageIn(folder: string): Promise<string> {
  return await readFile(join(folder, STAGE_FILE), 'utf8').catch(() => 'the comparison');
}

function errorFor(failure: PairFailure, sides: readonly [ResolvedModule, ResolvedModule]): Error {
  switch (failure.kind) {
    case 'load': {
      const { label, reason, remedy } = failure;
      return fail('SUBJECT_UNLOADABLE', { subject: label, reason, remedy });
    }
    case 'threw': {
      const { label, reason, stack } = failure;
      const cause = new Error(reason);
      if (stack !== undefined) cause.stack = stack;
      return fail('SUBJECT_THREW', { subject: label, reason }, { cause });
    }
    case 'disagree':
      return fail('SUBJECTS_DISAGREE', {
        candidate: sides[1].label,
        baseline: sides[0].label,
        difference: failure.difference,
        remedy: DISAGREEMENT_REMEDY,
      });
    case 'zero-work':
      return fail('ZERO_WORK', { subject: failure.label, costNs: Number(failure.costNs.toPrecision(3)) });
    case 'not-clonable':
      return fail('INVALID_ARGUMENT', {
        name: 'options.checkResults',
        actual: `a function, but the results cannot be sent to it (${failure.reason})`,
        expected: 'true, false or { relativeTolerance } for such results',
      });
  }
}

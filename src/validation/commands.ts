/**
 * Replicates of two commands: each runs once, in random order, from start to end. The process is the replicate
 * here by nature. Start-up counts: that is what whoever runs the command waits for.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../errors.js';
import { startProgram, type Program } from '../host/program.js';
import { endedChildrenCpuMs } from './group-cpu.js';
import type { Experiment } from './experiment.js';
import type { ResolvedOptions } from './options.js';
import type { Replicate } from './pair-measurement.js';
import type { CommandSubject } from './subject.js';

interface Run {
  readonly timeMs: number;
  /** Null where the system does not tell. Steps of 10 ms. */
  readonly cpuMs: number | null;
}

/** A replicate is one run of each command. Before the first, both run once unmeasured, so that files are cached. */
export function commandExperiment(
  subjects: readonly [CommandSubject, CommandSubject],
  labels: readonly [string, string],
  options: ResolvedOptions,
): Experiment {
  const run = (side: 0 | 1) => runOnce(subjects[side], labels[side], options);
  let first: 0 | 1 = 0;
  return {
    form: 'commands',
    labels,
    replicateName: 'runs of each',
    unit: 'ms',
    warnings: [],
    async replicate(index) {
      if (index === 0) {
        await run(0);
        await run(1);
      }
      // Each goes first once in every two replicates, in an order that nothing periodic can follow.
      first = (index % 2 === 0 ? Math.round(Math.random()) : 1 - first) as 0 | 1;
      const second = (1 - first) as 0 | 1;
      const runs: Run[] = [];
      runs[first] = await run(first);
      runs[second] = await run(second);
      return replicateOf(runs[0]!, runs[1]!, options);
    },
  };
}

function replicateOf(a: Run, b: Run, options: ResolvedOptions): Replicate {
  const cpu = a.cpuMs !== null && b.cpuMs !== null ? ([a.cpuMs, b.cpuMs] as const) : null;
  const time = [a.timeMs, b.timeMs] as const;
  const measured = options.measure === 'cpu' ? cpu : time;
  if (!measured || Math.min(...measured) <= 0) {
    throw fail('NOT_SUPPORTED', {
      what: 'Comparing the CPU time of commands',
      where: measured ? 'that take less than its step of 10 ms' : `on ${process.platform}`,
      remedy: "Compare their time: measure: 'time'.",
    });
  }
  const other = options.measure === 'cpu' ? time : cpu;
  return {
    logRatio: Math.log(measured[1] / measured[0]),
    pairs: 1,
    baselineCost: measured[0],
    candidateCost: measured[1],
    costs: other
      ? [
          {
            name: options.measure === 'cpu' ? 'time' : 'cpu time',
            unit: 'ms',
            baseline: other[0],
            candidate: other[1],
          },
        ]
      : [],
    // Steps of 10 ms in less than a second are more than 1 %.
    flags: options.measure === 'cpu' && Math.min(...measured) < 1000 ? ['timer-too-coarse'] : [],
  };
}

async function runOnce(subject: CommandSubject, label: string, options: ResolvedOptions): Promise<Run> {
  const cpuBefore = endedChildrenCpuMs();
  const startedMs = performance.now();
  const timeout = new AbortController();
  let program: Program | undefined;
  try {
    program = await startProgram(subject.command, {
      ...(subject.cwd !== undefined && { cwd: subject.cwd }),
      ...(subject.env && { env: subject.env }),
      ...(options.signal && { signal: options.signal }),
    });
    const exit = await Promise.race([
      program.exited,
      delay(options.timeoutMs, undefined, { signal: timeout.signal }).catch(() => undefined),
    ]);
    const timeMs = performance.now() - startedMs;
    const cpuAfter = endedChildrenCpuMs();
    if (options.signal?.aborted) throw fail('ABORTED', { what: 'The comparison' });
    if (!exit) throw fail('SUBJECT_TIMED_OUT', { subject: label, timeoutMs: options.timeoutMs });
    if (exit.code !== 0) {
      throw fail('SUBJECT_DIED', { subject: label, how: exit.how, output: program.output() || '(none)' });
    }
    return { timeMs, cpuMs: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore };
  } finally {
    timeout.abort();
    await program?.stop(200);
  }
}

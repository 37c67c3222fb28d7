import { formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import type { Rule } from '../rule.js';

/** The kernel counts the host's time in steps of 10 ms for each CPU. */
const LEAST_WINDOW_MS = 300;
const RUNNABLE = 0.1;
const LEAST_ON_CPU = 0.03;
/** Of the time in which the thread wanted a CPU. */
const WAITING_SHARE = 0.25;
/** CPUs that other processes use before they can be in the way, as a part of those there are. */
const OTHERS_OF_ALL = 0.4;

/**
 * Other processes take the CPU that the program's thread waits for. A load generator that talks to the program
 * is left out: it is the measurement's own. So are the program's own threads, which are no neighbours.
 */
export const noisyNeighbour: Rule = {
  cause: 'noisy-neighbour',
  evaluate(view) {
    const runnable = view.value('thread.main.runnable');
    const onCpu = view.value('thread.main.onCpu');
    const allOthers = view.value('host.cpu.others');
    const cpus = view.value('host.cpus');
    if (runnable === undefined || onCpu === undefined || allOthers === undefined || cpus === undefined) {
      return { findings: [] };
    }
    if (view.signals.durationMs < LEAST_WINDOW_MS) {
      return { findings: [], because: 'the run was too short for the kernel’s figures of the host' };
    }
    // The kernel's clocks for the host and for a process differ a little.
    const others = Math.min(cpus, Math.max(0, allOthers - (view.value('host.cpu.peers') ?? 0)));
    if (onCpu < LEAST_ON_CPU) {
      return {
        findings: [],
        because: `the program uses ${formatShare(onCpu)} of a CPU, too little to be in anyone’s way`,
      };
    }
    const waiting = runnable + onCpu === 0 ? 0 : runnable / (runnable + onCpu);
    if (runnable < RUNNABLE || waiting < WAITING_SHARE) {
      return {
        findings: [],
        because: `the thread waited for a CPU for ${formatShare(runnable)} of the time`,
      };
    }
    if (others < OTHERS_OF_ALL * cpus) {
      return {
        findings: [],
        because: `other processes used ${formatShare(others / cpus)} of the host’s CPU time`,
      };
    }
    return {
      findings: [
        {
          cause: 'noisy-neighbour',
          severity: waiting >= 0.5 ? 'high' : 'medium',
          confidence: Math.min(
            confidenceAbove(waiting, WAITING_SHARE),
            confidenceAbove(others, OTHERS_OF_ALL * cpus),
          ),
          impact: runnable,
          title: `Other processes on the host take the CPU: the program waits ${formatShare(waiting)} of the time that it wants to run`,
          evidence: [
            ...view.evidence(
              'thread.main.runnable',
              (value) => `The thread was ready and waited for a CPU for ${formatShare(value)} of the time.`,
              RUNNABLE,
            ),
            {
              metric: 'host.cpu.othersShare',
              value: others / cpus,
              unit: 'ratio',
              threshold: OTHERS_OF_ALL,
              statement: `Other processes used ${formatShare(others / cpus)} of the host’s CPU time (${formatCpus(cpus)}).`,
            },
          ],
        },
      ],
    };
  },
};

function formatCpus(cpus: number): string {
  return cpus === 1 ? '1 CPU' : `${cpus} CPUs`;
}

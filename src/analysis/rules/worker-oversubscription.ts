import { formatNumber, formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import { placeOf } from '../operation-finding.js';
import type { Rule } from '../rule.js';
import { lockContention } from './lock-contention.js';

const WAITING = 0.2;
/** A thread that wants less than this of a CPU competes with nobody. */
const WANTS = 0.4;

/** More busy workers than CPUs: they wait for each other, and the main thread waits with them. */
export const workerOversubscription: Rule = {
  cause: 'worker-oversubscription',
  evaluate(view) {
    const { threads, durationMs } = view.signals;
    const cpus = view.value('host.cpus');
    if (threads === undefined || cpus === undefined) return { findings: [] };
    const quota = view.value('cgroup.cpu.quota') ?? Infinity;
    // One worker alone is not too many: what a quota below one CPU does is throttling.
    const room = Math.max(1, Math.min(cpus, quota));
    const busy = threads.filter(
      ({ role, onCpuMs, runnableMs }) => role === 'worker' && (onCpuMs + runnableMs) / durationMs >= WANTS,
    );
    const onCpu = busy.reduce((sum, thread) => sum + thread.onCpuMs, 0);
    const runnable = busy.reduce((sum, thread) => sum + thread.runnableMs, 0);
    const waiting = onCpu + runnable === 0 ? 0 : runnable / (onCpu + runnable);
    if (busy.length <= room) {
      return { findings: [], because: `${busy.length} workers are busy, for ${formatNumber(room)} CPUs` };
    }
    if (waiting < WAITING) {
      return {
        findings: [],
        because: `busy workers waited for a CPU in ${formatShare(waiting)} of their time`,
      };
    }
    // Where others take the CPUs, the workers have less than the room that there is.
    const others = Math.max(0, (view.value('host.cpu.others') ?? 0) - (view.value('host.cpu.peers') ?? 0));
    if (busy.length <= room - others || onCpu / durationMs < (room - others) * 0.5) {
      return { findings: [], because: 'other processes take the CPUs that the workers wait for' };
    }
    if (lockContention.evaluate(view).findings.length > 0) {
      return { findings: [], because: 'the workers stand at a lock, which has a finding of its own' };
    }
    const location = hottest(view.signals.threadProfiles ?? [])?.location;
    return {
      findings: [
        {
          cause: 'worker-oversubscription',
          severity: busy.length >= room * 3 ? 'high' : 'medium',
          confidence: Math.min(confidenceAbove(waiting, WAITING), confidenceAbove(busy.length / room, 0.9)),
          impact: waiting,
          title: `${busy.length} workers compete for ${formatNumber(room)} CPUs`,
          ...(location === undefined
            ? {}
            : { location, detail: `What they compute is mostly ${placeOf(location)}.` }),
          evidence: [
            {
              metric: 'thread.workers.waitingShare',
              value: waiting,
              unit: 'ratio',
              threshold: WAITING,
              statement: `Of the time that they wanted to run, busy workers waited ${formatShare(waiting)}.`,
            },
            ...view.evidence(
              'thread.workers.onCpu',
              (value) => `Together they ran on ${formatNumber(value)} CPUs.`,
            ),
            ...view.evidence(
              'thread.main.runnable',
              (value) => `The main thread waited for a CPU for ${formatShare(value)} of the time.`,
            ),
          ],
        },
      ],
    };
  },
};

type Profiles = NonNullable<Parameters<Rule['evaluate']>[0]['signals']['threadProfiles']>;

/** The user's function that most of the workers' time is spent in. */
function hottest(profiles: Profiles) {
  return profiles
    .flatMap(({ operations }) => operations)
    .filter(({ kind }) => kind !== 'lock')
    .toSorted((a, b) => b.totalMs - a.totalMs)[0];
}

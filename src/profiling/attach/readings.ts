/** The kernel's figures of a process beside its agent's profile, for the case that it is killed and takes that with it. */
import type { TimelinePoint } from '../../model/metric.js';
import type { Signals } from '../../model/signals.js';
import type { ProfileType } from '../../model/types.js';
import { Gathered } from '../sampler.js';
import { ProcessFilesSampler } from './process-files.js';

/** Once a second: a process that was killed is explained by its last minutes, not by milliseconds. */
const TICK_MS = 1000;

export interface Readings {
  /** What was read so far; undefined where the process was gone before it could be read twice. */
  signals(): Signals | undefined;
  stop(): void;
}

export function readingsOnly(pid: number, type: ProfileType, durationMs: number): Readings {
  const sampler = new ProcessFilesSampler(pid);
  const timeline: TimelinePoint[] = [];
  const startedAt = performance.now();
  sampler.start();
  const read = () => {
    const values: Record<string, number> = {};
    sampler.tick(values);
    if (Object.keys(values).length > 0) timeline.push({ atMs: performance.now() - startedAt, values });
  };
  // The first soon, so that a process that is killed early was read twice.
  const soon = setTimeout(read, TICK_MS / 10);
  const timer = setInterval(read, TICK_MS);
  return {
    signals() {
      if (timeline.length === 0) return undefined;
      const elapsedMs = performance.now() - startedAt;
      const gathered = new Gathered(elapsedMs);
      sampler.stop(gathered);
      return {
        type,
        durationMs: elapsedMs,
        metrics: gathered.metrics,
        timeline,
        functions: [],
        allocations: [],
        callTree: null,
        gc: [],
        threads: gathered.threads,
        warnings: [
          `The program ended ${Math.round(elapsedMs)} ms into a window of ${durationMs} ms, without a chance to hand its profile over: there are the kernel’s figures until then, no functions.`,
        ],
      };
    },
    stop() {
      clearTimeout(soon);
      clearInterval(timer);
    },
  };
}

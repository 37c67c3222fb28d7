/** What each thread did over the window: a lane a thread, height is the share of time on a CPU and, above it, ready without one. */
import type { ThreadCost } from '../model/signals.js';
import { formatDurationMs, formatShare } from '../units.js';
import { html, trusted, type Markup } from './markup.js';
import { activeThreads } from './waiting-tables.js';

const SHOWN_LANES = 24;

/** Undefined where no thread has a lane, as in results of older versions. */
export function threadLanes(threads: readonly ThreadCost[], durationMs: number): Markup | undefined {
  const withLane = activeThreads(threads, durationMs).filter(({ lane }) => (lane?.onCpu.length ?? 0) > 1);
  if (withLane.length === 0) return undefined;
  const shown = withLane.slice(0, SHOWN_LANES);
  return html`<div class="lanes">
      ${shown.map((thread) => {
        const { stepMs, onCpu, runnable } = thread.lane!;
        const upper = onCpu.map((share, index) => Math.min(1, share + (runnable[index] ?? 0)));
        const mean = onCpu.reduce((sum, share) => sum + share, 0) / onCpu.length;
        return html`<div class="lane">
          <span class="lane-name"><code>${thread.name}</code></span>
          <svg
            viewBox="0 0 100 100"
            preserveAspectRatio="none"
            role="img"
            aria-label="${thread.name}: ${formatShare(mean)} on a CPU, in steps of ${formatDurationMs(stepMs)}"
          >
            <path class="lane-ready" d="${trusted(steps(upper))}" />
            <path class="lane-cpu" d="${trusted(steps(onCpu))}" />
          </svg>
          <span class="lane-share">${formatShare(mean)}</span>
        </div>`;
      })}
      <div class="lane lane-axis">
        <span></span><span class="x-axis"><span>0</span><span>${formatDurationMs(durationMs)}</span></span
        ><span></span>
      </div>
    </div>
    <p class="legend lanes-legend">
      <span><i class="lane-cpu"></i>on a CPU</span><span><i class="lane-ready"></i>ready, no CPU free</span
      ><span>the rest: blocked or idle</span>${
        withLane.length > shown.length && html`<span>${withLane.length - shown.length} more threads</span>`
      }
    </p>`;
}

/** A stepped area: a share holds for its whole step. */
function steps(shares: readonly number[]): string {
  const width = 100 / shares.length;
  const fixed = (value: number) => String(Number(value.toFixed(2)));
  const line = shares
    .map((share, index) => {
      const y = fixed(100 - Math.min(1, Math.max(0, share)) * 100);
      return `L${fixed(index * width)} ${y}L${fixed((index + 1) * width)} ${y}`;
    })
    .join('');
  return `M0 100${line}L100 100Z`;
}

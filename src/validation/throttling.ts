/** Whether the container's CPU quota stopped this process (and its children) while something was measured. */
import { CGROUP_COLUMNS } from '../native/contract.js';
import { loadNative } from '../native/load.js';

const THROTTLED_NS = CGROUP_COLUMNS.indexOf('throttledNs');

/** Time in ms that the quota has stopped this cgroup; NaN where there is none or the system does not tell. */
function throttledMs(): number {
  const figures = new Float64Array(CGROUP_COLUMNS.length).fill(NaN);
  try {
    loadNative().readCgroup(figures);
  } catch {
    return NaN; // No cgroup here.
  }
  return figures[THROTTLED_NS]! / 1e6;
}

/** Watches the quota between this call and `finish()`, which gives ms; 0 where there is no quota. */
export function observeThrottling(): { finish(): number } {
  const before = throttledMs();
  return { finish: () => throttledMs() - before || 0 };
}

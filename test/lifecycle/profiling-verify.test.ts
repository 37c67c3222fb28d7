import { describe, expect, it } from 'vitest';
import { endure } from '../verify/profiling.js';

// The whole run, ten minutes, is `npm run verify:profiling`; its last figures are in docs/profiling.md.
describe.runIf(process.platform === 'linux')('profiling again and again, every type in turn', () => {
  it.each([false, true])('leaves no descriptor and no thread behind (attached: %s)', async (attach) => {
    const outcome = await endure({ totalMs: 0, leastCycles: 6, cycleMs: 300, connections: 1, attach });
    expect(outcome.cycles).toBe(6);
    expect(outcome.withoutFunctions).toBe(0);
    expect(outcome.errors).toBe(0);
    // The load's last request may have a file open.
    expect(outcome.descriptorsLast).toBeLessThanOrEqual(outcome.descriptorsFirst + 2);
    expect(outcome.threadsLast).toBeLessThanOrEqual(outcome.threadsFirst);
    // A leaked profile would show even in so short a run: each holds megabytes.
    expect(outcome.rssLastThirdBytes).toBeLessThan(outcome.rssFirstThirdBytes * 1.5);
  });
});

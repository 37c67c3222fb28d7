/** A kernel gets a caller of its own, and that one is warmed up: neither may run the kernel once more than it was called. */
import { describe, expect, it } from 'vitest';
import { KernelCall, RangeCall } from '../../../dist/threads/kernel.js';

interface Seen {
  calls: number;
  iterations: number;
}
const kernel = (start: number, end: number, seen: Seen) => {
  seen.calls += 1;
  seen.iterations += end - start;
  return seen.calls;
};
/** Beyond the calls before a caller is made and those while it is warmed up. */
const CALLS = 300;

describe('a kernel that is called again and again', () => {
  it('runs once a call, with the range and the result of that call', () => {
    const seen = { calls: 0, iterations: 0 };
    const call = new KernelCall(kernel, seen);
    for (let n = 0; n < CALLS; n += 1) expect(call.run(n, n + 3)).toBe(n + 1);
    expect(seen).toEqual({ calls: CALLS, iterations: 3 * CALLS });
  });

  it('runs once a call over a fixed range, and on other data between', () => {
    const seen = { calls: 0, iterations: 0 };
    const other = { calls: 0, iterations: 0 };
    const loop = (start: number, end: number, shared: Seen) => void kernel(start, end, shared);
    const call = new RangeCall(loop, seen, 2, 7);
    for (let n = 0; n < CALLS; n += 1) {
      call.run();
      call.runOn(other);
    }
    expect(seen).toEqual({ calls: CALLS, iterations: 5 * CALLS });
    expect(other).toEqual(seen);
  });

  it('throws what the kernel throws, also when it has a caller of its own', () => {
    const bad = { at: -1 };
    const call = new KernelCall((start: number) => {
      if (start === bad.at) throw new RangeError(`at ${start}`);
    }, bad);
    for (let n = 0; n < CALLS; n += 1) call.run(n, n + 1);
    bad.at = 5;
    expect(() => call.run(5, 6)).toThrow(new RangeError('at 5'));
  });
});

import { describe, expect, it } from 'vitest';
import { pressureChecks, type Pressures } from '../../../dist/cli/host-checks.js';

const namesOf = (seen: Pressures) => pressureChecks(seen).map(({ name }) => name);

describe('what takes processor time away', () => {
  it('is nothing on a quiet machine', () => {
    expect(namesOf({ effectiveCpus: 2 })).toEqual([]);
    expect(
      namesOf({ effectiveCpus: 2, periods: 900, throttledPeriods: 0, stealShare: 0.002, poolSize: '8' }),
    ).toEqual([]);
  });

  it('is a quota that was seen to stop the container', () => {
    const [check] = pressureChecks({
      effectiveCpus: 2,
      periods: 900,
      throttledPeriods: 45,
      throttledMs: 1_800,
    });
    expect(check).toMatchObject({ name: 'throttling', state: 'attention', area: 'processors' });
    expect(check!.message).toContain('45 of 900');
    expect(check!.message).toContain('1.8 s');
  });

  it('is a hypervisor that serves others', () => {
    const [check] = pressureChecks({ effectiveCpus: 2, stealShare: 0.08 });
    expect(check!.name).toBe('steal');
    expect(check!.message).toContain('8 %');
  });

  it.each([
    ['64', 2, 'UV_THREADPOOL_SIZE=4'],
    ['128', 16, 'UV_THREADPOOL_SIZE=16'],
    ['many', 2, 'UV_THREADPOOL_SIZE=4'],
    ['0', 12, 'UV_THREADPOOL_SIZE=12'],
    [undefined, 32, 'UV_THREADPOOL_SIZE=32'],
  ])('is a pool of %s for %d processors', (poolSize, effectiveCpus, remedy) => {
    const checks = pressureChecks({ effectiveCpus, ...(poolSize !== undefined && { poolSize }) });
    expect(checks).toHaveLength(1);
    expect(checks[0]!.name).toBe('size of the libuv pool');
    expect(checks[0]!.remedy).toContain(remedy);
  });
});

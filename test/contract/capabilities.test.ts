import { describe, expect, it } from 'vitest';
import { describeCapabilities, PROBES, type Probe } from '../../dist/native/capabilities.js';
import { IMPLEMENTATIONS } from './implementations.js';

describe.each(IMPLEMENTATIONS)('capabilities of the %s', (name, native) => {
  it('are available, or say what is missing and what would help', () => {
    for (const [capability, state] of Object.entries(native.capabilities())) {
      if (state.available) continue;
      expect(state.reason, capability).toMatch(/^[A-Z_]+$/);
      expect(state.message, capability).toMatch(/\S.*[.!:]$|\S/);
      expect(state.remedy.length, capability).toBeGreaterThan(10);
    }
  });

  it('name every part', () => {
    expect(Object.keys(native.capabilities()).sort()).toEqual(
      [
        'addon',
        'affinity',
        'alignedRegions',
        'cgroup',
        'hardwareCounters',
        'hugePages',
        'pressure',
        'profilerSignalBlocking',
        'softwareCounters',
        'threadClock',
        'threadStatistics',
      ].sort(),
    );
    expect(native.implementation).toBe(name);
  });
});

describe('capabilities from probes', () => {
  const codes = (code: string) =>
    Object.fromEntries(PROBES.map((probe) => [probe, code])) as Record<Probe, string>;

  it('are all available where every probe works', () => {
    const states = Object.values(describeCapabilities(codes(''), 'linux'));
    expect(states.every((state) => state.available)).toBe(true);
  });

  it('name the platform elsewhere than on Linux', () => {
    const { affinity, hardwareCounters, addon, alignedRegions } = describeCapabilities(
      codes('ENOTSUP'),
      'darwin',
    );
    expect([affinity, hardwareCounters]).toMatchObject([{ reason: 'PLATFORM' }, { reason: 'PLATFORM' }]);
    expect([addon.available, alignedRegions.available]).toEqual([true, true]);
  });

  it.each([
    ['ENOENT', 'NO_PMU'],
    ['EACCES', 'NOT_PERMITTED'],
    ['EPERM', 'FILTERED'],
    ['ENOSYS', 'FILTERED'],
    ['ENODATA', 'NOT_COUNTING'],
    ['EMFILE', 'NO_RESOURCES'],
  ])('explain %s of hardware counters as %s', (code, reason) => {
    expect(describeCapabilities(codes(code), 'linux').hardwareCounters).toMatchObject({ reason });
  });
});

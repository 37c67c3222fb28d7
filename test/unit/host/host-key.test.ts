import { describe, expect, it } from 'vitest';
import { hostKey, processorsOf, quotas } from '../../../dist/host/host-key.js';

describe('the key of a host', () => {
  it('is the same every time', () => {
    expect(hostKey()).toMatch(/^[0-9a-f]{16}$/);
    expect(hostKey()).toBe(hostKey());
  });

  it.skipIf(process.platform !== 'linux')('knows the quota of either version of control groups', () => {
    const read = (files: Record<string, string>) => (path: string) => files[path];
    expect(
      quotas(read({ '/proc/self/cgroup': '0::/app\n', '/sys/fs/cgroup/app/cpu.max': '50000 100000\n' })),
    ).toEqual(['50000 100000']);
    expect(
      quotas(read({ '/proc/self/cgroup': '0::/app\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' })),
    ).toEqual([]);
    const first = '4:cpu,cpuacct:/docker/x\n2:cpuset:/\n';
    expect(
      quotas(
        read({
          '/proc/self/cgroup': first,
          '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '150000\n',
          '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
        }),
      ),
    ).toEqual(['150000 100000']);
    expect(
      quotas(read({ '/proc/self/cgroup': first, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n' })),
    ).toEqual([]);
    expect(quotas(read({}))).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('knows processors by their model and which are online', () => {
    const read = (info: string) => (path: string) => (path === '/proc/cpuinfo' ? info : '0-3\n');
    expect(processorsOf(read('processor\t: 0\nmodel name\t: Xeon  X\nflags\t: a\n'))).toEqual([
      'model name : Xeon X',
      '0-3',
    ]);
    expect(processorsOf(read('processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n'))).toEqual([
      'CPU implementer : 0x41',
      'CPU part : 0xd0c',
      '0-3',
    ]);
    expect(processorsOf(() => undefined)).toHaveLength(2);
  });
});

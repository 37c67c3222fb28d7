import { describe, expect, it } from 'vitest';
import { hostKey, processorsOf, quotas } from '../../../dist/host/host-key.js';

describe('the key of a host', () => {
  it('is the same every time', () => {
    expect(hostKey()).toContain(`${process.platform} ${process.arch}; `);
    expect(hostKey()).toMatch(/; \d+ GiB; /);
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

  it.skipIf(process.platform !== 'linux')('knows processors by their make and which are online', () => {
    const folder = '/sys/devices/system/cpu';
    const files: Record<string, string> = {
      [`${folder}/modalias`]: 'cpu:type:x86,ven0000fam0006mod00CF:feature:,0000,\n',
      [`${folder}/online`]: '0-3\n',
    };
    const read = (path: string) => files[path];
    expect(processorsOf(read, 'x64')).toEqual([
      'cpu:type:x86,ven0000fam0006mod00CF:feature:,0000,',
      '',
      '0-3',
    ]);
    files[`${folder}/cpu0/regs/identification/midr_el1`] = '0x00000000413fd0c1\n';
    expect(processorsOf(read, 'arm64')[1]).toBe('0x00000000413fd0c1');
    expect(processorsOf(() => undefined)).toHaveLength(2);
  });
});

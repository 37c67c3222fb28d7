import { describe, expect, it } from 'vitest';
import { adviseOnPools, runtimePools } from '../../../dist/host/runtime-pools.js';

const pools = (env: Record<string, string> = {}, execArgv: string[] = [], cpus = 4) =>
  runtimePools({ env, execArgv, cpus });

describe('runtimePools', () => {
  it('are four threads each where nothing is said', () => {
    expect(pools()).toEqual({
      libuv: { threads: 4, from: 'default' },
      v8: { threads: 4, from: 'default' },
    });
  });

  it.each([
    ['16', 16],
    ['0', 1],
    ['', 1],
    ['many', 1],
    ['8 threads', 8],
    ['5000', 1_024],
    ['-1', 1_024],
  ])('take UV_THREADPOOL_SIZE=%s as libuv does: %i', (given, threads) => {
    expect(pools({ UV_THREADPOOL_SIZE: given }).libuv).toEqual({ threads, from: 'UV_THREADPOOL_SIZE' });
  });

  it('take V8’s from the command line before NODE_OPTIONS, in either spelling; 0 goes by the CPUs', () => {
    const v8 = (env: Record<string, string>, execArgv: string[], cpus?: number) =>
      pools(env, execArgv, cpus).v8;
    expect(v8({}, ['--v8-pool-size=2'])).toEqual({ threads: 2, from: '--v8-pool-size' });
    expect(v8({}, ['--v8-pool-size', '3', '--no-warnings'])).toEqual({ threads: 3, from: '--v8-pool-size' });
    expect(v8({ NODE_OPTIONS: '--no-warnings  --v8-pool-size=6' }, [])).toMatchObject({ threads: 6 });
    expect(v8({ NODE_OPTIONS: '--v8-pool-size=6' }, ['--v8-pool-size=2'])).toMatchObject({ threads: 2 });
    expect(v8({}, ['--v8-pool-size=0'], 8)).toEqual({ threads: 7, from: 'CPUs' });
    expect(v8({}, ['--v8-pool-size=0'], 0.5)).toEqual({ threads: 1, from: 'CPUs' });
  });
});

describe('adviseOnPools', () => {
  it('says nothing where nothing fights', () => {
    for (const cpus of [2, 4, 64])
      expect(adviseOnPools(pools(), cpus)).toEqual({ runtimeFlags: [], environment: {}, reasons: [] });
  });

  it.each([
    [0.5, '--v8-pool-size=1'],
    [1, '--v8-pool-size=1'],
    [1.5, '--v8-pool-size=2'],
  ])('asks for fewer helpers of V8 on %f CPUs', (cpus, flag) => {
    const advice = adviseOnPools(pools(), cpus);
    expect(advice.runtimeFlags).toEqual([flag]);
    expect(advice.environment).toEqual({});
    expect(advice.reasons.join()).toContain(`${cpus} CPUs`);
  });

  it('asks for a smaller pool of libuv where it is many times the CPUs', () => {
    const large = pools({ UV_THREADPOOL_SIZE: '64' });
    expect(adviseOnPools(large, 2).environment).toEqual({ UV_THREADPOOL_SIZE: '4' });
    expect(adviseOnPools(large, 8).environment).toEqual({ UV_THREADPOOL_SIZE: '8' });
    expect(adviseOnPools(large, 16).environment).toEqual({});
  });
});

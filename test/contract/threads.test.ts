import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { IMPLEMENTATIONS, linux } from './implementations.js';

/** Keeps the thread busy for a while, on the clock under test. */
function burn(): number {
  let sum = 0;
  for (let i = 0; i < 3e7; i++) sum += i % 7;
  return sum;
}

describe.each(IMPLEMENTATIONS)('threads by the %s', (name, native) => {
  const isAddon = name === 'addon';

  it('have an id that stays', () => {
    const id = native.currentThreadId();
    expect(id).toBe(native.currentThreadId());
    if (linux) expect(id).toBeGreaterThan(0);
  });

  it('have a CPU clock that moves with work', () => {
    const before = native.threadCpuTimeNs();
    expect(burn()).toBeGreaterThan(0);
    const spent = native.threadCpuTimeNs() - before;
    if (native.capabilities().threadClock.available) expect(spent).toBeGreaterThan(1e6);
    else expect(spent).toBeNaN();
  });

  it.runIf(linux)('report the CPUs they may use, also into an array that is too short', () => {
    const out = new Int32Array(4096).fill(-1);
    const count = native.getAffinity(0, out);
    expect(count).toBeGreaterThan(0);
    const cpus = [...out.slice(0, count)];
    expect(cpus).toEqual([...new Set(cpus)].sort((a, b) => a - b));
    expect(out[count]).toBe(-1);
    expect(native.getAffinity(0, new Int32Array(0))).toBe(count);
    expect(native.getAffinity(native.currentThreadId(), out)).toBe(count);
  });

  it.runIf(linux)('get the CPUs of the process back, whatever they were pinned to', () => {
    const all = new Int32Array(4096);
    const count = native.processAffinity(all);
    expect(count).toBeGreaterThan(0);
    expect(native.processAffinity(new Int32Array(0))).toBe(count);
    const now = () => {
      const out = new Int32Array(4096);
      return [...out.slice(0, native.getAffinity(0, out))];
    };
    expect(now()).toEqual([...all.slice(0, count)]);
    if (!isAddon) {
      expect(native.useProcessAffinity()).toBe(false);
      return;
    }
    native.setAffinity(0, all.slice(0, 1));
    try {
      expect(now()).toEqual([all[0]]);
    } finally {
      expect(native.useProcessAffinity()).toBe(true);
    }
    expect(now()).toEqual([...all.slice(0, count)]);
  });

  it.runIf(linux)('are kept off a CPU for a while, and have their own ones back then', () => {
    const now = () => {
      const out = new Int32Array(4096);
      return [...out.slice(0, native.getAffinity(0, out))];
    };
    const before = now();
    native.letBack();
    expect(now()).toEqual(before);
    const isKept = native.keepOffCpu(native.currentThreadId());
    expect(isKept).toBe(isAddon && before.length > 1);
    try {
      expect(now()).toHaveLength(before.length - Number(isKept));
      expect(before).toEqual(expect.arrayContaining(now()));
      // Again: from where it is now, and of its own CPUs.
      expect(native.keepOffCpu(0)).toBe(isKept);
      expect(now()).toHaveLength(before.length - Number(isKept));
    } finally {
      native.letBack();
    }
    expect(now()).toEqual(before);
  });

  it.runIf(linux)('stay where they are if they are pinned, or not of this process', () => {
    if (isAddon) {
      const all = new Int32Array(4096);
      const count = native.processAffinity(all);
      native.setAffinity(0, all.slice(0, 1));
      try {
        expect(native.keepOffCpu(0)).toBe(false);
      } finally {
        native.setAffinity(0, all.slice(0, count));
      }
    }
    expect(native.keepOffCpu(1)).toBe(false);
    expect(native.keepOffCpu(2 ** 31 - 1)).toBe(false);
  });

  it.runIf(linux)('are this process’ own: others are ESRCH', () => {
    const out = new Int32Array(8);
    expect(() => native.getAffinity(1, out)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
    expect(() => native.getAffinity(2 ** 31 - 1, out)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
  });

  it.runIf(linux)('are pinned exactly, or stay as they were', () => {
    const before = new Int32Array(4096);
    const count = native.getAffinity(0, before);
    const all = before.slice(0, count);
    const now = () => {
      const out = new Int32Array(4096);
      return [...out.slice(0, native.getAffinity(0, out))];
    };
    if (!isAddon) {
      expect(() => native.setAffinity(0, all)).toThrow(expect.objectContaining({ code: 'ENOSYS' }));
      return;
    }
    native.setAffinity(0, all.slice(0, 1));
    try {
      expect(now()).toEqual([all[0]]);
      for (const wrong of [[], [-1], [4095], [all[0]!, 4095], [2 ** 31 - 1]]) {
        expect(() => native.setAffinity(0, Int32Array.from(wrong))).toThrow(
          expect.objectContaining({ code: 'EINVAL', syscall: 'sched_setaffinity' }),
        );
      }
      expect(now()).toEqual([all[0]]);
    } finally {
      native.setAffinity(0, all);
    }
    expect(now()).toEqual([...all]);
  });

  it('refuse ids and lists of the wrong type', () => {
    for (const wrong of [-1, 1.5, NaN, 2 ** 31]) {
      expect(() => native.getAffinity(wrong, new Int32Array(1))).toThrow(RangeError);
      expect(() => native.setAffinity(wrong, new Int32Array(1))).toThrow(RangeError);
      expect(() => native.keepOffCpu(wrong)).toThrow(RangeError);
      expect(() => native.threadName(wrong)).toThrow(RangeError);
    }
    expect(() => native.getAffinity(0, new Float64Array(1) as any)).toThrow(TypeError);
    expect(() => native.getAffinity(0, [0] as any)).toThrow(TypeError);
    expect(() => native.setThreadName(5 as any)).toThrow(TypeError);
  });

  it('say whether the profiler’s signal is blocked', () => {
    expect(native.blockProfilerSignal()).toBe(
      isAddon && native.capabilities().profilerSignalBlocking.available,
    );
  });
});

describe.runIf(linux).each(['addon', 'fallback'])('thread names by the %s', (implementation) => {
  it('are set and read back, cut at 15 bytes between characters', async () => {
    // In a worker: the main thread's name is the process' name, which other tests may look at.
    const load = new URL('../../dist/native/load.js', import.meta.url).href;
    const code = `
      const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(load)}).then(({ loadNative }) => {
        const native = loadNative();
        const set = ['render', 'abcdefghijklmnä', '0123456789abcdefgh', ''].map((name) => {
          const ok = native.setThreadName(name);
          return [ok, native.threadName(native.currentThreadId()), native.threadName(0)];
        });
        parentPort.postMessage({ implementation: native.implementation, set, gone: native.threadName(1) });
      });`;
    const worker = new Worker(code, { eval: true, env: { ...process.env, SYSOPT_NATIVE: implementation } });
    const message = await new Promise<any>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    expect(message).toEqual({
      implementation,
      set: [
        [true, 'render', 'render'],
        [true, 'abcdefghijklmn', 'abcdefghijklmn'],
        [true, '0123456789abcde', '0123456789abcde'],
        [true, '', ''],
      ],
      gone: '',
    });
  });
});

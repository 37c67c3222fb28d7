/** Samples of native code in real processes: what is named, and that nothing else of the process changes. */
import { describe, expect, it } from 'vitest';
import { runInChild } from './native-child.js';

const supported = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
const SUMMARY = new URL('../../dist/profiling/native-code/summary.js', import.meta.url).href;
const SESSION = new URL('../../dist/profiling/session.js', import.meta.url).href;

/** Work that ends in one family of native functions, without the program saying so. */
const LOADS = {
  json: `const text = JSON.stringify(Array.from({ length: 20000 }, (_, id) => ({ id, name: 'user ' + id, tags: ['a', 'b'] })));
    work = () => JSON.parse(text).length;`,
  regexp: `const text = 'a'.repeat(24) + 'b'; const pattern = /^(a|aa)+$/; work = () => pattern.test(text) ? 1 : 0;`,
  zlib: `const { gzipSync } = await import('node:zlib'); const { randomBytes } = await import('node:crypto');
    const data = randomBytes(1 << 19); work = () => gzipSync(data).length;`,
  crypto: `const { pbkdf2Sync } = await import('node:crypto'); work = () => pbkdf2Sync('a', 'b', 20000, 64, 'sha512').length;`,
  megamorphic: `const shapes = Array.from({ length: 64 }, (_, i) => {
      const made = {}; for (let k = 0; k < i % 32; k += 1) made['p' + i + '_' + k] = k; made.value = i; return made; });
    work = () => { let sum = 0; for (let round = 0; round < 2000; round += 1) for (const each of shapes) sum += each.value; return sum; };`,
};

describe.runIf(supported)('native functions of a thread', () => {
  it.for(Object.entries(LOADS))(
    'are those of the work, where it is %s',
    { timeout: 60_000 },
    async ([family, load], { skip }) => {
      const { output, status, stderr } = await runInChild(`
      import { summariseStacks } from ${JSON.stringify(SUMMARY)};
      const native = loadNative();
      let work; ${load}
      let sum = 0;
      for (let i = 0; i < 5; i += 1) sum += work();
      native.stackSamplesStart(2500);
      // By the thread's own clock: a crowded machine makes it last longer, not less.
      const from = native.threadCpuTimeNs();
      while (native.threadCpuTimeNs() - from < 8e8) sum += work();
      native.stackSamplesStop();
      const taken = native.stackSamplesTake();
      const summary = summariseStacks(taken, 100);
      console.log(JSON.stringify({ sum, ...summary, program: taken.modules.find(({ path }) => path === process.execPath) }));`);
      expect(status, stderr).toBe(0);
      const { program, functions, samples } = output as {
        program?: { symbols: string };
        functions: { family: string; name: string; share: number; samples: number }[];
        samples: number;
      };
      if (program?.symbols !== 'full') return skip('this Node was stripped of its symbols');
      expect(samples).toBeGreaterThanOrEqual(20);
      const shares = new Map<string, number>();
      for (const row of functions) shares.set(row.family, (shares.get(row.family) ?? 0) + row.share);
      // Collections and the C library serve all kinds of work.
      const own = [...shares].filter(([name]) => !['gc', 'library', 'kernel'].includes(name));
      expect(own.sort((a, b) => b[1] - a[1])[0]?.[0], JSON.stringify(functions.slice(0, 8))).toBe(family);
    },
  );

  it('are named in a CPU profile, beside V8’s own', { timeout: 60_000 }, async ({ skip }) => {
    const { output, status, stderr } = await runInChild(`
      import { gatherSignals } from ${JSON.stringify(SESSION)};
      let work; ${LOADS.json}
      let sum = 0;
      const timer = setInterval(() => { for (let i = 0; i < 4; i += 1) sum += work(); }, 1);
      const { functions, metrics, nativeFunctions, warnings } = await gatherSignals('cpu', { durationMs: 2500 });
      clearInterval(timer);
      const memory = await gatherSignals('memory', { durationMs: 50 });
      console.log(JSON.stringify({ sum, metrics, functions: functions.length, nativeFunctions, warnings, memory: memory.nativeFunctions }));`);
    expect(status, stderr).toBe(0);
    const { metrics, functions, nativeFunctions, warnings, memory } = output as {
      metrics: Record<string, { available: boolean; value: number }>;
      functions: number;
      nativeFunctions: { family: string; share: number }[];
      warnings: string[];
      memory: unknown;
    };
    if (nativeFunctions.some(({ family }) => family === 'node') && warnings.length > 0)
      return skip('this Node was stripped of its symbols');
    expect(functions).toBeGreaterThan(0);
    expect(metrics['cpu.native.samples']?.value).toBeGreaterThanOrEqual(20);
    expect(metrics['cpu.native.share']?.value).toBeGreaterThan(0);
    expect(metrics['cpu.native.share']?.value).toBeLessThanOrEqual(1);
    expect(nativeFunctions.map(({ family }) => family)).toContain('json');
    expect(nativeFunctions.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9);
    expect(memory).toBeUndefined();
  });
});

describe.runIf(supported)('sampling native code', () => {
  it('neither wakes nor samples a thread that is idle', async () => {
    const { output, stderr } = await runInChild(`
      const native = loadNative();
      native.stackSamplesStart(2500);
      const before = performance.eventLoopUtilization();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const { utilization } = performance.eventLoopUtilization(before);
      native.stackSamplesStop();
      console.log(JSON.stringify({ taken: native.stackSamplesTake().taken, utilization }));`);
    const { taken, utilization } = output as { taken: number; utilization: number };
    expect(taken, stderr).toBeLessThanOrEqual(2);
    // A signal at this rate that reached the poll made it half.
    expect(utilization).toBeLessThan(0.4);
  });

  it('is of one thread at a time, and ends with its worker', { timeout: 60_000 }, async () => {
    const { output, status, signal, stderr } = await runInChild(`
      const native = loadNative();
      const codes = [];
      for (let round = 0; round < 8; round += 1) {
        const worker = await startWorker('native.stackSamplesStart(500); parentPort.postMessage(1); for (;;);');
        try { native.stackSamplesStart(500); } catch (error) { codes.push(error.code); }
        await worker.terminate();
        native.stackSamplesStart(500);
        native.stackSamplesStop();
      }
      console.log(JSON.stringify(codes));`);
    expect({ status, signal }, stderr).toEqual({ status: 0, signal: null });
    expect(output).toEqual(Array.from({ length: 8 }, () => 'EBUSY'));
  });

  it('does not reach processes that are started meanwhile', { timeout: 60_000 }, async () => {
    const { output, status, signal, stderr } = await runInChild(`
      import { spawnSync } from 'node:child_process';
      const native = loadNative();
      native.stackSamplesStart(500);
      const children = Array.from({ length: 5 }, () =>
        spawnSync(process.execPath, ['-e', 'const end = Date.now() + 100; while (Date.now() < end);']));
      const busy = native.threadCpuTimeNs();
      while (native.threadCpuTimeNs() - busy < 5e7);
      native.stackSamplesStop();
      const { taken } = native.stackSamplesTake();
      console.log(JSON.stringify({ taken, ends: children.map(({ status, signal }) => [status, signal]) }));`);
    expect({ status, signal }, stderr).toEqual({ status: 0, signal: null });
    const { taken, ends } = output as { taken: number; ends: unknown[] };
    expect(taken).toBeGreaterThan(0);
    expect(ends).toEqual(Array.from({ length: 5 }, () => [0, null]));
  });

  it.each([
    ['process.exit', 'process.exit(0)', 0],
    ['its natural end', '0', 0],
    ['an uncaught error', 'throw new Error("on purpose")', 1],
    [
      'process.exit in a worker that samples',
      'await startWorker("native.stackSamplesStart(500); parentPort.postMessage(1); process.exit(0);")',
      0,
    ],
  ])('survives %s in the middle', async (_how, code, expected) => {
    const sampling = code.includes('startWorker') ? '' : 'native.stackSamplesStart(500);';
    const { status, signal, stderr } = await runInChild(`
      const native = loadNative(); ${sampling}
      const busy = native.threadCpuTimeNs();
      while (native.threadCpuTimeNs() - busy < 3e7);
      ${code};`);
    expect({ status, signal }, stderr).toEqual({ status: expected, signal: null });
  });

  it('is refused with a reason, and answers in order', async () => {
    const { output, stderr } = await runInChild(`
      const native = loadNative();
      const codeOf = (call) => { try { return String(call()); } catch (error) { return error.code ?? error.name; } };
      console.log(JSON.stringify([
        codeOf(() => native.stackSamplesStop()),
        codeOf(() => native.stackSamplesTake().stacks.length),
        codeOf(() => native.stackSamplesStart(99)),
        codeOf(() => native.stackSamplesStart(2500)),
        codeOf(() => native.stackSamplesStart(2500)),
        codeOf(() => native.stackSamplesTake()),
        codeOf(() => native.stackSamplesStop()),
        codeOf(() => native.stackSamplesStop()),
      ]));`);
    expect(output, stderr).toEqual([
      ...['false', '0', 'RangeError', 'undefined', 'EALREADY', 'EBUSY', 'true', 'false'],
    ]);
  });
});

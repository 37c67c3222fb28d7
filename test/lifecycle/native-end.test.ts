import { describe, expect, it } from 'vitest';
import { runInChild } from './native-child.js';

const linux = process.platform === 'linux';
const HOLD = `
  globalThis.held = Array.from({ length: 50 }, () => native.regionCreate(65536, 64, 0, true));
  globalThis.counters = Array.from({ length: 10 }, () => native.countersOpen(Float64Array.of(1, 1, 0, 1, 1, 5, 0, 0), false));
`;

describe('the end of a process that holds regions and counters', () => {
  it.each([
    ['process.exit', 'process.exit(0);', 0],
    ['the natural end', '', 0],
    ['an uncaught error', 'throw new Error("on purpose");', 1],
    ['process.exit in an exit handler', 'process.on("exit", () => process.exit(0));', 0],
    [
      'closing half of them in an exit handler',
      'process.on("exit", () => held.forEach(({ id }, i) => i % 2 && native.regionClose(id)));',
      0,
    ],
    [
      'process.exit right after closing',
      'held.forEach(({ id }) => native.regionClose(id)); process.exit(0);',
      0,
    ],
    [
      'process.exit in a worker that holds some',
      'await startWorker(`native.regionCreate(4096, 64, 0, true); parentPort.postMessage(1); process.exit(0);`);',
      0,
    ],
    [
      'the main thread’s exit while a worker works',
      'await startWorker(`parentPort.postMessage(1); for (;;) native.regionClose(native.regionCreate(4096, 64, 0, true).id);`); process.exit(0);',
      0,
    ],
  ])('is orderly by %s', async (_how, code, status) => {
    const result = await runInChild(`const native = loadNative(); ${HOLD} ${code}`);
    expect({ status: result.status, signal: result.signal }, result.stderr).toEqual({ status, signal: null });
  });
});

describe.runIf(linux)('a worker that ends while it holds regions and counters', () => {
  it.each([
    ['terminated while idle', 'setInterval(() => {}, 1000); parentPort.postMessage(1);'],
    [
      'terminated in a loop of opening and closing',
      'parentPort.postMessage(1); for (;;) native.regionClose(native.regionCreate(4096, 64, 0, true).id);',
    ],
    [
      'terminated with closed regions whose memory is still to be freed',
      'for (const { id } of held) native.regionClose(id); parentPort.postMessage(1); for (;;);',
    ],
    ['that dropped them', 'delete globalThis.held; parentPort.postMessage(1);'],
  ])('leaves nothing behind: %s', async (_how, code) => {
    const { status, output, stderr } = await runInChild(`
      const native = loadNative();
      const cycle = async () => {
        const worker = await startWorker(\`${HOLD} ${code}\`);
        await worker.terminate();
        await turn();
      };
      // The first ones make the heaps, stacks and pools that V8 and libc keep.
      for (let i = 0; i < 3; i++) await cycle();
      const before = { mappings: mappings(), descriptors: descriptors() };
      for (let i = 0; i < 8; i++) await cycle();
      const after = { mappings: mappings(), descriptors: descriptors() };
      console.log(JSON.stringify({
        mappings: after.mappings - before.mappings,
        descriptors: after.descriptors - before.descriptors,
      }));
    `);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    // Eight workers held 400 regions and 80 counters with 160 descriptors.
    const left = output as { mappings: number; descriptors: number };
    expect(left.mappings).toBeLessThan(100);
    expect(left.descriptors).toBeLessThanOrEqual(0);
  });
});

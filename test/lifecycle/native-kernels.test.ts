// The pool of native threads and the memory it works on, where environments end at any moment.
import { describe, expect, it } from 'vitest';
import { runInChild } from './native-child.js';

/** Jobs that take milliseconds each, more than the pool has threads. */
const WORK = `
  const values = new Float64Array(new SharedArrayBuffer(8 * 2 ** 21)).fill(1);
  const start = () => native.arrayJobAsync(1, 2, values, values);
`;

describe('the end of a process while native threads work', () => {
  it.each([
    ['process.exit', 'for (let k = 0; k < 20; k += 1) start(); process.exit(0);', 0],
    ['process.exit in a callback', 'start().then(() => process.exit(0)); start(); start();', 0],
    ['an uncaught error', 'start(); start(); throw new Error("on purpose");', 1],
    [
      'process.exit in a worker that waits',
      'await startWorker(`' +
        'const v = new Float64Array(new SharedArrayBuffer(8 * 2 ** 20)); for (let k = 0; k < 20; k += 1) ' +
        'native.arrayJobAsync(1, 2, v, v); parentPort.postMessage(1); process.exit(0);`); start();',
      0,
    ],
    [
      'the main thread’s exit while a worker works',
      'await startWorker(`' +
        'const v = new Float64Array(new SharedArrayBuffer(8 * 2 ** 20)); parentPort.postMessage(1);' +
        'for (;;) native.arrayJob(0, 2, v, v);`); start(); process.exit(0);',
      0,
    ],
  ])('is orderly by %s', async (_how, code, status) => {
    const result = await runInChild(`const native = loadNative(); ${WORK} ${code}`);
    expect({ status: result.status, signal: result.signal }, result.stderr).toEqual({ status, signal: null });
  });

  it('waits for what was promised', async () => {
    const result = await runInChild(`const native = loadNative(); ${WORK}
      Promise.all([start(), start(), start()]).then((all) => console.log(JSON.stringify(all.map(([sum]) => sum))));`);
    expect(result).toMatchObject({ status: 0, output: [2 ** 21, 2 ** 21, 2 ** 21] });
  });
});

describe('workers that are terminated while native threads work for them', () => {
  it('leave the pool to the others', async () => {
    const result = await runInChild(`const native = loadNative(); ${WORK}
      for (let round = 0; round < 15; round += 1) {
        const worker = await startWorker(\`
          const v = new Float64Array(new SharedArrayBuffer(8 * 2 ** 19)).fill(1);
          const again = () => native.arrayJobAsync(round % 2, 2, v, v).then(again);
          const round = \${round};
          for (let k = 0; k < 8; k += 1) again();
          parentPort.postMessage(1);\`);
        const mine = start();
        await worker.terminate();
        const [sum] = await mine;
        if (sum !== 2 ** 21) throw new Error('wrong sum ' + sum);
      }
      console.log(JSON.stringify(native.poolThreads()));`);
    expect(result.status, result.stderr).toBe(0);
    expect(result.output).toBeLessThanOrEqual(64);
  });

  it('end the threads with the last of them, and start others for the next', async () => {
    const result = await runInChild(`const native = loadNative();
      const seen = [];
      for (let round = 0; round < 4; round += 1) {
        const worker = await startWorker(\`
          setInterval(() => {}, 1000);
          const v = new Float64Array(new SharedArrayBuffer(8 * 2 ** 19));
          native.arrayJobAsync(0, 2, v, v).then(() => parentPort.postMessage(1));\`);
        seen.push(native.poolThreads());
        await worker.terminate();
        seen.push(native.poolThreads());
      }
      console.log(JSON.stringify(seen));`);
    expect(result.status, result.stderr).toBe(0);
    expect(result.output).toEqual([2, 0, 2, 0, 2, 0, 2, 0]);
  });
});

describe('memory in work', () => {
  it('lives as long as the work, whoever drops or sends it', async () => {
    const result = await runInChild(
      `const native = loadNative();
      const jobs = [];
      for (let k = 0; k < 60; k += 1) {
        const view = new Float64Array(new SharedArrayBuffer(8 * 2 ** 18)).fill(k);
        jobs.push(native.arrayJobAsync(0, 2, view, view));
        structuredClone(view);
        Object.setPrototypeOf(view, null);
        if (k % 10 === 0) { globalThis.gc(); await turn(); }
      }
      const sums = await Promise.all(jobs);
      console.log(JSON.stringify(sums.every(([sum], k) => sum === k * 2 ** 18)));`,
      { flags: ['--expose-gc'] },
    );
    expect(result).toMatchObject({ status: 0, output: true });
  });

  it('may be given back meanwhile: a shared region that is closed', async () => {
    const result = await runInChild(`const native = loadNative(); ${WORK}
      const jobs = [];
      for (let k = 0; k < 20; k += 1) {
        jobs.push(start());
        native.discardShared(new Uint8Array(values.buffer));
      }
      await Promise.all(jobs);
      console.log('true');`);
    expect(result).toMatchObject({ status: 0, output: true });
  });
});

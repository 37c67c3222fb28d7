import { Worker } from 'node:worker_threads';
import * as inspector from 'node:inspector';
import { afterEach, describe, expect, it } from 'vitest';
import { InspectorSession } from '../../../dist/profiling/inspector-session.js';
import { Gathered, type SamplingWindow } from '../../../dist/profiling/sampler.js';
import { gatherSignals } from '../../../dist/profiling/session.js';
import { WorkerSampler } from '../../../dist/profiling/samplers/workers.js';
import { SourceIndex } from '../../../dist/profiling/source/source-index.js';

const window: SamplingWindow = {
  type: 'thread',
  durationMs: 50,
  samplingIntervalUs: 5000,
  maxFunctions: 10,
  sources: new SourceIndex(null),
  keepRawProfile: false,
};
const workers: Worker[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate();
});
async function start(source: string): Promise<Worker> {
  const worker = new Worker(source, { eval: true });
  workers.push(worker);
  await new Promise((resolve) => worker.once('message', resolve));
  // An 'asleep' is told before it sleeps.
  await sleep(50);
  return worker;
}
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const PORT = "const { parentPort } = require('node:worker_threads');";
const IDLE = `${PORT} parentPort.on('message', () => {}); parentPort.postMessage('up');`;
const ASLEEP = `${PORT} parentPort.postMessage('asleep'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;

/**
 * Connections to workers that are open, by Node's own notifications. Node keeps both halves of one alive until they are
 * detached: not even the end of the session frees them, so what is open here at its end stays for the worker's life.
 */
function counted(session: InspectorSession): { open: Set<string>; seen: number } {
  const count = { open: new Set<string>(), seen: 0 };
  session.on('NodeWorker.attachedToWorker', (params) => {
    count.open.add((params as { sessionId: string }).sessionId);
    count.seen += 1;
  });
  session.on('NodeWorker.detachedFromWorker', (params) =>
    count.open.delete((params as { sessionId: string }).sessionId),
  );
  return count;
}

describe('connections to workers', () => {
  it('are all given back at the end, of workers that answer and of those that sleep', async () => {
    for (const source of [IDLE, IDLE, ASLEEP]) await start(source);
    const session = new InspectorSession(inspector);
    const count = counted(session);
    for (let run = 1; run <= 3; run += 1) {
      const sampler = new WorkerSampler(session);
      sampler.start(window);
      await sleep(50);
      expect(count.open.size).toBe(3);
      const gathered = new Gathered(50);
      sampler.stop(gathered);
      await sampler.late(gathered);
      sampler.release();
      expect(gathered.threadProfiles.length).toBeGreaterThanOrEqual(2);
      expect(count).toEqual({ open: new Set(), seen: 3 * run });
    }
    session.close();
  });

  it('are given back after an abort too, and by a run that is cut short', async () => {
    await start(IDLE);
    const session = new InspectorSession(inspector);
    const count = counted(session);
    const sampler = new WorkerSampler(session);
    sampler.start(window);
    await sleep(20);
    expect(count.open.size).toBe(1);
    sampler.release();
    sampler.release();
    expect(count).toEqual({ open: new Set(), seen: 1 });
    session.close();
  });

  it('are released by every kind of run', async () => {
    const released: string[] = [];
    const spy = (name: string) => ({
      name,
      start() {},
      stop() {},
      release: () => released.push(name),
    });
    await gatherSignals('cpu', { durationMs: 20, samplers: [spy('whole')] });
    const run = gatherSignals('cpu', {
      durationMs: 10_000,
      samplers: [spy('aborted')],
      signal: AbortSignal.timeout(20),
    });
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' });
    const failing = { ...spy('failed'), start: () => expect.fail('no') };
    await gatherSignals('cpu', { durationMs: 20, samplers: [failing] });
    expect(released).toEqual(['whole', 'aborted', 'failed']);
  });
});

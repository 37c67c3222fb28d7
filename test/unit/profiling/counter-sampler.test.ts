import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { Metric } from '../../../dist/model/metric.js';
import { createFallback } from '../../../dist/native/fallback.js';
import { loadNative } from '../../../dist/native/load.js';
import { Gathered } from '../../../dist/profiling/sampler.js';
import { CounterSampler } from '../../../dist/profiling/samplers/counters.js';

const native = loadNative();
const reasonOf = (metric: Metric | undefined) => (metric?.available === false ? metric.reason : undefined);

describe('counters of a profile', () => {
  it.runIf(process.platform === 'linux' && native.capabilities().softwareCounters.available)(
    'are of the profiled thread and of the workers apart',
    async () => {
      const worker = new Worker(
        `const { parentPort } = require('node:worker_threads');
         parentPort.postMessage(Number(require('node:fs').readlinkSync('/proc/thread-self').split('/').at(-1)));
         parentPort.on('message', () => {
           const fresh = Buffer.alloc(64 * 2 ** 20, 1);
           parentPort.postMessage(fresh.length);
         });`,
        { eval: true },
      );
      const said = () => new Promise<number>((resolve) => worker.once('message', resolve));
      const threads = new Map([[await said(), 'worker 1']]);
      const sampler = new CounterSampler(native, threads);
      sampler.start();
      sampler.tick();
      worker.postMessage('work');
      await said();
      const gathered = new Gathered(1_000);
      sampler.stop(gathered);
      await worker.terminate();
      const faults = gathered.metrics['counter.workers.pageFaults'];
      // 64 MiB in pages of 4 KiB, or in huge ones of 2 MiB.
      expect(faults?.available === true && faults.value).toBeGreaterThanOrEqual(32);
      for (const metric of Object.values(gathered.metrics)) {
        if (metric.available) expect(Number.isFinite(metric.value)).toBe(true);
        else expect(metric.remedy.length).toBeGreaterThan(3);
      }
    },
  );

  it('say that no worker ran', () => {
    const gathered = new Gathered(1_000);
    const sampler = new CounterSampler(native, new Map());
    sampler.start();
    sampler.tick();
    sampler.stop(gathered);
    expect(reasonOf(gathered.metrics['counter.workers.pageFaults'])).toBe('NO_WORKERS');
  });

  it('say that they need the addon', () => {
    const gathered = new Gathered(1_000);
    const sampler = new CounterSampler(createFallback('a test'), new Map());
    sampler.start();
    sampler.stop(gathered);
    expect(reasonOf(gathered.metrics['counter.main.instructions'])).toBe('NO_ADDON');
    expect(reasonOf(gathered.metrics['counter.main.instructionsPerCycle'])).toBe('NO_ADDON');
  });
});

// npm run bench:churn [-- --processes 5 --seconds 2 --check]: what the slowest operations cost while 10,000 buffers of
// 4 KiB are live and random ones of them are replaced all the time, as in a cache or a proxy.
//
// A script of its own because it compares tail quantiles and the collector's share of time, and `compare` compares
// medians of ratios. Each trial is a fresh process; trials of the variants take turns; a table shows the median over
// processes. One sample is 16 replacements, so that reading the clock (about 40 ns) does not count.
import { spawnSync } from 'node:child_process';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SlabPool } from '../dist/memory/slab-pool.js';

const LIVE = 10_000;
const SIZE_BYTES = 4096;
const OPERATIONS = 16;
const SAMPLES_PER_TURN = 2_000;
const BUCKETS_PER_DOUBLING = 70;
/** What the project holds itself to; `--check` fails where it is not met. */
const MIN_TAIL_RATIO = 100;
const MAX_GC_SHARE = 0.01;

// Each loop is written out, so that every one is compiled for its own variant.
const VARIANTS = {
  'Buffer.allocUnsafe': () => {
    const live = Array.from({ length: LIVE }, () => Buffer.allocUnsafe(SIZE_BYTES));
    return (slots, from) => {
      for (let k = from; k < from + OPERATIONS; k += 1) {
        const buffer = Buffer.allocUnsafe(SIZE_BYTES);
        buffer[0] = k;
        live[slots[k]] = buffer;
      }
    };
  },
  SlabPool: () => {
    const pool = new SlabPool({ slotBytes: SIZE_BYTES, slots: LIVE + 1, prefault: true });
    const live = Int32Array.from({ length: LIVE }, () => pool.acquire());
    for (const handle of live) pool.buffer(handle);
    return (slots, from) => {
      for (let k = from; k < from + OPERATIONS; k += 1) {
        const handle = pool.acquire();
        pool.buffer(handle)[0] = k;
        pool.release(live[slots[k]]);
        live[slots[k]] = handle;
      }
    };
  },
  'SlabPool, unchecked': () => {
    const pool = new SlabPool({ slotBytes: SIZE_BYTES, slots: LIVE + 1, prefault: true, checks: 'none' });
    const live = Int32Array.from({ length: LIVE }, () => pool.acquire());
    for (const handle of live) pool.buffer(handle);
    return (slots, from) => {
      for (let k = from; k < from + OPERATIONS; k += 1) {
        const handle = pool.acquire();
        pool.buffer(handle)[0] = k;
        pool.release(live[slots[k]]);
        live[slots[k]] = handle;
      }
    };
  },
  'array of recycled Buffers': () => {
    const make = () => Buffer.allocUnsafeSlow(SIZE_BYTES);
    const free = [make()];
    const live = Array.from({ length: LIVE }, make);
    return (slots, from) => {
      for (let k = from; k < from + OPERATIONS; k += 1) {
        const buffer = free.pop() ?? make();
        buffer[0] = k;
        free.push(live[slots[k]]);
        live[slots[k]] = buffer;
      }
    };
  },
};

async function trial(name, seconds) {
  const collections = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) collections.push({ startTime, duration });
  }).observe({ entryTypes: ['gc'] });

  const replace = VARIANTS[name]();
  // The order of replacements, from a generator with a fixed seed: the same for all.
  let state = 12345;
  const slots = Int32Array.from({ length: 1 << 16 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * LIVE);
  });

  // A histogram with buckets of 1 %: keeping every sample would give the collector work of the harness' own.
  const counts = new Uint32Array(64 * BUCKETS_PER_DOUBLING);
  // Likewise numbers in a typed array, where captured variables would be boxed at each change.
  const longestMs = new Float64Array(1);
  let taken = 0;
  const sample = (first) => {
    for (let k = 0; k < SAMPLES_PER_TURN; k += 1) {
      const from = ((first + k) * OPERATIONS) & (slots.length - 1);
      const before = performance.now();
      replace(slots, from);
      const tookMs = performance.now() - before;
      counts[Math.max(0, Math.floor(Math.log2(1e6 * tookMs) * BUCKETS_PER_DOUBLING))] += 1;
      if (tookMs > longestMs[0]) longestMs[0] = tookMs;
    }
  };
  // Reading the clock makes garbage, so the collector's share is taken while nobody does.
  const work = (first) => {
    for (let k = 0; k < SAMPLES_PER_TURN; k += 1) {
      replace(slots, ((first + k) * OPERATIONS) & (slots.length - 1));
    }
  };
  const run = async (untilMs, step) => {
    while (performance.now() < untilMs) {
      step(taken);
      taken += SAMPLES_PER_TURN;
      await turn(); // the observer is told of collections between two turns
    }
  };
  await run(performance.now() + 500, work); // warm-up
  await run(performance.now() + 500, sample);
  counts.fill(0);
  taken = 0;
  longestMs[0] = 0;
  await run(performance.now() + 1000 * seconds, sample);
  const samples = taken;
  const startedMs = performance.now();
  await run(startedMs + 1000 * seconds, work);
  const endedMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 50));

  const quantileUs = (q) => {
    let rest = q * samples;
    const bucket = counts.findIndex((count) => (rest -= count) < 0);
    return 2 ** ((bucket + 1) / BUCKETS_PER_DOUBLING) / 1000;
  };
  const gcMs = collections
    .filter(({ startTime }) => startTime >= startedMs && startTime < endedMs)
    .reduce((sum, { duration }) => sum + duration, 0);
  return {
    samples,
    p50Us: quantileUs(0.5),
    p99Us: quantileUs(0.99),
    p999Us: quantileUs(0.999),
    maxUs: 1000 * longestMs[0],
    gcShare: gcMs / (endedMs - startedMs),
  };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function runAll(processes, seconds) {
  const trials = new Map(Object.keys(VARIANTS).map((name) => [name, []]));
  const file = fileURLToPath(import.meta.url);
  for (let round = 0; round < processes; round += 1) {
    for (const [name, results] of trials) {
      const args = [file, '--variant', name, '--seconds', String(seconds)];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name} failed: ${stderr}`);
      results.push(JSON.parse(stdout));
    }
  }
  return new Map(
    [...trials].map(([name, results]) => [
      name,
      Object.fromEntries(
        Object.keys(results[0]).map((key) => [key, median(results.map((result) => result[key]))]),
      ),
    ]),
  );
}

const { values } = parseArgs({
  options: {
    variant: { type: 'string' },
    processes: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    check: { type: 'boolean', default: false },
  },
});

if (values.variant !== undefined) {
  console.log(JSON.stringify(await trial(values.variant, Number(values.seconds))));
} else {
  const results = runAll(Number(values.processes), Number(values.seconds));
  const baseline = results.get('Buffer.allocUnsafe');
  console.log(
    `16 replacements among ${LIVE} live buffers of ${SIZE_BYTES} B, µs, median of ${values.processes} processes\n`,
  );
  console.log('| variant | p50 | p99 | p99.9 | max | p99.9 below allocUnsafe | GC share of time |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const [name, { p50Us, p99Us, p999Us, maxUs, gcShare }] of results) {
    const figures = [p50Us, p99Us, p999Us, maxUs].map((us) => us.toPrecision(3));
    const below = `${(baseline.p999Us / p999Us).toPrecision(3)}×`;
    console.log(`| ${[name, ...figures, below, `${(100 * gcShare).toFixed(2)} %`].join(' | ')} |`);
  }
  const pool = results.get('SlabPool');
  const isMet = baseline.p999Us / pool.p999Us >= MIN_TAIL_RATIO && pool.gcShare < MAX_GC_SHARE;
  console.log(
    `\nAim: SlabPool's p99.9 at least ${MIN_TAIL_RATIO}× below, less than ${100 * MAX_GC_SHARE} % in the collector: ${isMet ? 'met' : 'missed'}.`,
  );
  if (values.check && !isMet) process.exitCode = 1;
}

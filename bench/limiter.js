// npm run bench:limiter [-- --quick] [--seed 1] [--out FILE]: a service in front of a backend of limited capacity, under
// steps of load below, at and above what it can serve: without admission control, with fixed limits, with the limiter.
//
// Method: the load is open: requests arrive by a Poisson process whatever became of those before, as from many users; a
// closed loop of clients that wait would slow down with the service and hide the overload. A client gives up after
// TIMEOUT_MS and goes; an answer after that is work for nobody. Per step, the first SETTLE_MS are not counted. Goodput is
// answers in time per second; latency is that of answers in time, from the arrival that was planned, not from when a busy
// generator came to send it. Controls, each a process of its own, take turns step by step, so that all see the same host.
import { fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'data/bench/limiter.json' },
  },
});

/** 10 at once, 20 ms each on average: 500 a second. */
const CAPACITY = 10;
const SERVICE_MS = 20;
const PEAK_RPS = (CAPACITY / SERVICE_MS) * 1_000;
const TIMEOUT_MS = 500;
const SETTLE_MS = options.quick ? 500 : 3_000;
const STEP_MS = options.quick ? 1_500 : 6_000;
/** Load as a share of capacity, in turns; the last is back to half at once, to see who recovers from what it let in. */
const TURNS = [[0.5], [0.9], [1.1], [1.5], [2], [3, 0.5]];
const STEPS = TURNS.flat();
/** Right for this backend; far too low; far too high. */
const CONTROLS = ['none', `fixed:${CAPACITY + 4}`, 'fixed:4', 'fixed:400', 'gradient'];

function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / (2 ** 32 + 1);
  };
}

async function startService(control) {
  const path = fileURLToPath(new URL('limiter/service.js', import.meta.url));
  const child = fork(path, [control, String(CAPACITY), String(SERVICE_MS)]);
  const next = () => new Promise((resolve) => child.once('message', resolve));
  const { port } = await next();
  return {
    port,
    async state() {
      const answer = next();
      child.send('state');
      return answer;
    },
    stop: () => child.kill('SIGKILL'),
  };
}

/** One request; resolves with what became of it and when it was known. */
function ask(agent, port) {
  return new Promise((resolve) => {
    const call = request({ agent, port, host: '127.0.0.1' }, (response) => {
      response.resume();
      response.once('end', () => end(response.statusCode === 200 ? 'good' : 'rejected'));
      response.once('error', () => end('late'));
    });
    const timer = setTimeout(() => {
      end('late');
      call.destroy();
    }, TIMEOUT_MS);
    const end = (outcome) => {
      clearTimeout(timer);
      resolve({ outcome, endedMs: performance.now() });
    };
    call.once('error', () => end('late'));
    call.end();
  });
}

async function runStep(agent, service, load, random) {
  const perMs = (load * PEAK_RPS) / 1_000;
  const counts = { good: 0, rejected: 0, late: 0 };
  const latencies = [];
  const calls = [];
  const beganMs = performance.now();
  let plannedMs = beganMs;
  let arrivals = 0;
  while (plannedMs < beganMs + SETTLE_MS + STEP_MS) {
    plannedMs += -Math.log(random()) / perMs;
    const aheadMs = plannedMs - performance.now();
    if (aheadMs > 1) await sleep(aheadMs);
    const counted = plannedMs - beganMs >= SETTLE_MS;
    if (counted) arrivals += 1;
    const at = plannedMs;
    calls.push(
      ask(agent, service.port).then(({ outcome, endedMs }) => {
        if (!counted) return;
        // A busy generator sends late: that is waiting, too.
        const latencyMs = endedMs - at;
        const what = outcome === 'good' && latencyMs > TIMEOUT_MS ? 'late' : outcome;
        counts[what] += 1;
        if (what === 'good') latencies.push(latencyMs);
      }),
    );
  }
  const { limit, queued } = await service.state();
  await Promise.all(calls);
  latencies.sort((a, b) => a - b);
  const quantile = (q) => (latencies.length === 0 ? null : latencies[Math.floor(q * (latencies.length - 1))]);
  return {
    load,
    offeredRps: (arrivals / STEP_MS) * 1_000,
    goodputRps: (counts.good / STEP_MS) * 1_000,
    rejected: counts.rejected / arrivals,
    late: counts.late / arrivals,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    limit,
    backendQueue: queued,
  };
}

async function main() {
  const services = new Map();
  const results = Object.fromEntries(CONTROLS.map((control) => [control, []]));
  try {
    for (const control of CONTROLS) services.set(control, await startService(control));
    for (const turn of TURNS) {
      for (const control of CONTROLS) {
        const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
        for (const load of turn) {
          // The same arrivals for all.
          const random = randomFrom(Number(options.seed) * 1_000 + results[control].length);
          results[control].push(await runStep(agent, services.get(control), load, random));
        }
        agent.destroy();
      }
    }
  } finally {
    for (const service of services.values()) service.stop();
  }
  const share = (value) => `${(100 * value).toFixed(0)} %`;
  const ms = (value) => (value === null ? '–' : value.toFixed(0));
  const bar = (value) => '█'.repeat(Math.round((20 * value) / PEAK_RPS)).padEnd(20, '·');
  console.log(
    `Capacity ${PEAK_RPS} a second (${CAPACITY} at once, ${SERVICE_MS} ms), clients leave after ${TIMEOUT_MS} ms.`,
  );
  for (const [step, load] of STEPS.entries()) {
    const after = step > 0 && load < STEPS[step - 1] ? `, at once after ${share(STEPS[step - 1])}` : '';
    console.log(`\nload ${share(load)} of capacity${after}`);
    console.log('control     goodput/s                       p50 ms  p99 ms  rejected   late  limit');
    for (const control of CONTROLS) {
      const { goodputRps, p50Ms, p99Ms, rejected, late, limit } = results[control][step];
      console.log(
        `${control.padEnd(11)} ${goodputRps.toFixed(0).padStart(8)} ${bar(goodputRps)} ${ms(p50Ms).padStart(8)} ${ms(p99Ms).padStart(7)} ${share(rejected).padStart(9)} ${share(late).padStart(6)} ${String(limit ?? '–').padStart(6)}`,
      );
    }
  }
  const document = {
    createdAt: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model,
    cpus: cpus().length,
    settings: { CAPACITY, SERVICE_MS, TIMEOUT_MS, SETTLE_MS, STEP_MS, seed: Number(options.seed) },
    results,
  };
  await mkdir(dirname(options.out), { recursive: true });
  await writeFile(options.out, `${JSON.stringify(document, null, 2)}\n`);
}

await main();

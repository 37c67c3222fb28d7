// npm run bench:executor [-- --rounds 15]: what a job costs that does nothing, handed in and waited for: in threads of this
// process (LocalExecutor), through a queue in Redis (BullMQExecutor with `sysopt worker`), and through bullmq as its
// documentation shows it (Queue, Worker and `waitUntilFinished`).
//
// A redis-server of its own on a Unix socket, without persistence. The consumers are processes of their own, with as many
// jobs at once. In each round all sides take turns in random order, one job after the other and 64 in flight; shown are the
// median time a job and the median ratio to bare bullmq with its 95 % interval (order statistics), above 1 is slower.
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Queue, QueueEvents } from 'bullmq';
import { defineTask, LocalExecutor } from '../dist/index.js';
import { BullMQExecutor } from '../dist/integration/bullmq/index.js';
import { redisMissing, startRedis } from '../test/fixtures/executor/backends.js';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
const ROUNDS = Math.max(6, Number(flags.rounds));
const THREADS = 2;
const IN_FLIGHT = 64;
const BARE = 'bullmq itself';
const ORDER = { id: 7, item: 'lamp', quantity: 3 };

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const root = pathOf('..');
const echo = defineTask(new URL('../test/fixtures/executor/tasks.js', import.meta.url), 'echo');

/** Starts a consumer; resolves when it says that it takes jobs. */
async function startConsumer(...args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the consumer ended: ${output}`)));
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('Taking jobs')) resolve();
    });
  });
  return child;
}

async function openSides(path) {
  const local = new LocalExecutor({ threads: { minThreads: THREADS, maxThreads: THREADS } });
  const queued = new BullMQExecutor({ queue: 'ours', connection: path, root });
  const connection = { path, maxRetriesPerRequest: null };
  const bare = new Queue('bare', { connection });
  const events = new QueueEvents('bare', { connection });
  // Each wait adds a listener of its own.
  bare.setMaxListeners(0);
  events.setMaxListeners(0);
  await events.waitUntilReady();
  const consumers = await Promise.all([
    startConsumer(
      ...[pathOf('../dist/cli/main.js'), 'worker', '--queue', 'ours', '--connection', path],
      ...['--root', root, '--threads', String(THREADS)],
    ),
    startConsumer(pathOf('./tasks/bare-bullmq-worker.js'), 'bare', path, String(THREADS)),
  ]);
  return {
    sides: {
      [BARE]: async () => {
        // Kept for a while: a job that is removed at its end may be gone before anybody waits for it.
        const job = await bare.add('echo', ORDER, { removeOnComplete: { age: 300 } });
        return job.waitUntilFinished(events);
      },
      BullMQExecutor: () => queued.run(echo, ORDER),
      LocalExecutor: () => local.run(echo, ORDER),
    },
    async close() {
      await Promise.all([local.close(), queued.close(), bare.close(), events.close()]);
      for (const child of consumers) child.kill();
    },
  };
}

/** Milliseconds a job, of `jobs` jobs with `inFlight` of them at once. */
async function timeJobs(run, jobs, inFlight) {
  let left = jobs;
  const begunMs = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left > 0) {
        left -= 1;
        const { id } = await run();
        if (id !== ORDER.id) throw new Error('a job gave another result than its argument');
      }
    }),
  );
  return (performance.now() - begunMs) / jobs;
}

const median = (sorted) => (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
const ascending = (numbers) => numbers.toSorted((a, b) => a - b);
function ratioTo(times, base) {
  const ratios = ascending(times.map((time, round) => time / base[round]));
  const rank = Math.max(0, Math.floor((ratios.length - 1.96 * Math.sqrt(ratios.length)) / 2));
  return [median(ratios), ratios[rank], ratios.at(-1 - rank)].map((ratio) => ratio.toPrecision(3));
}

if (redisMissing !== undefined) throw new Error(redisMissing);
const redis = await startRedis();
const { sides, close } = await openSides(redis.connection);
try {
  const names = Object.keys(sides);
  console.log(`Node ${process.version}, ${ROUNDS} rounds, load ${loadavg()[0].toFixed(1)}`);
  for (const [title, jobs, inFlight] of [
    ['one after the other', 100, 1],
    [`${IN_FLIGHT} in flight`, 640, IN_FLIGHT],
  ]) {
    for (const name of names) await timeJobs(sides[name], jobs, inFlight);
    const times = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const name of names.toSorted(() => Math.random() - 0.5)) {
        times[name].push(await timeJobs(sides[name], jobs, inFlight));
      }
    }
    console.log(`\n${title}`);
    for (const name of names) {
      const [ratio, low, high] = ratioTo(times[name], times[BARE]);
      const ms = median(ascending(times[name])).toPrecision(3);
      console.log(`  ${name.padEnd(15)} ${ms.padStart(8)} ms a job   ${ratio}× [${low}, ${high}]`);
    }
  }
} finally {
  await close();
  await redis.stop();
}

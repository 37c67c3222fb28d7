// npm run verify:executor [-- --jobs n] [--seed n]: jobs through a real redis-server while consumers are killed in the middle
// of jobs and Redis is killed and started again. Every job has to be done at least once, every call has to get its result,
// and a job may have begun twice only where its consumer was killed meanwhile. 10,000 jobs by default;
// test/lifecycle/executor-bullmq.test.ts runs some hundreds.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { defineTask } from '../../dist/index.js';
import { BullMQExecutor } from '../../dist/integration/bullmq/index.js';
import { redisMissing, startRedis } from '../fixtures/executor/backends.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cli = join(root, 'dist/cli/main.js');
const compute = defineTask(new URL('../fixtures/executor/tasks.js', import.meta.url), 'compute');

/** Starts `sysopt worker`, resolves when it takes jobs. */
export async function startWorker(connection, queue, more = []) {
  const child = spawn(
    process.execPath,
    [cli, 'worker', '--queue', queue, '--connection', connection, '--root', root, ...more],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const worker = {
    child,
    output: '',
    ended: new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal))),
  };
  await new Promise((resolve, reject) => {
    const read = (chunk) => {
      worker.output += chunk;
      if (worker.output.includes('Taking jobs')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => reject(new Error(`the worker ended: ${worker.output}`)));
  });
  return worker;
}

function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * @param {{ jobs: number, seed: number, kills?: number, restarts?: number, consumers?: number, jobMs?: number, inFlight?: number, lock?: string, onProgress?: (text: string) => void }} options
 * @returns counts: `jobs`, `begun`, `again` (begun more than once), `cutShort` (begun and not ended in that run), `kills`, `restarts`, `seconds`.
 * @throws for a job that was lost, a wrong result, or a run that no kill explains.
 */
export async function storm({
  jobs,
  seed,
  kills = 10,
  restarts = 2,
  consumers = 2,
  jobMs = 4,
  inFlight = 200,
  lock = '5s',
  onProgress = () => {},
}) {
  if (redisMissing !== undefined) throw new Error(redisMissing);
  const random = randomFrom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'sysopt-storm-'));
  const notes = join(folder, 'notes');
  const redis = await startRedis({ appendOnly: true });
  const workers = new Set();
  // A lock that no stall of this machine outlasts: a second run has then no other cause than a death.
  const launch = async () =>
    workers.add(
      await startWorker(redis.connection, 'storm', ['--threads', '1', '--lock', lock, '--max-stalls', '20']),
    );
  await Promise.all(Array.from({ length: consumers }, launch));
  const executor = new BullMQExecutor({ queue: 'storm', connection: redis.connection, root });
  executor.on('connectionError', () => {});
  const began = performance.now();
  let done = 0;
  let next = 0;
  try {
    const produce = async () => {
      while (next < jobs) {
        const line = String(next++);
        const result = await executor.run(compute, {
          file: notes,
          line,
          ms: Math.ceil(random() * 2 * jobMs),
        });
        if (result !== line) throw new Error(`job ${line} gave ${String(result)}`);
        done += 1;
      }
    };
    const producers = Promise.all(Array.from({ length: Math.min(inFlight, jobs) }, produce));
    producers.catch(() => {});
    // Spread over the run by what is done, so that every event meets jobs under way.
    const events = [...Array(kills).fill('kill'), ...Array(restarts).fill('restart')]
      .map((what) => ({ what, at: Math.floor(jobs * (0.05 + 0.85 * random())) }))
      .sort((a, b) => a.at - b.at);
    let isOver = false;
    void producers.finally(() => (isOver = true)).catch(() => {});
    for (const { what, at } of events) {
      while (done < at && !isOver) await sleep(5);
      if (what === 'restart') {
        await redis.kill();
        await redis.start();
      } else {
        const [victim] = workers;
        workers.delete(victim);
        victim.child.kill('SIGKILL');
        await victim.ended;
        await launch();
      }
      onProgress(`${done} of ${jobs} done: ${what}`);
    }
    await producers;
  } finally {
    await executor.close({ force: true });
    await Promise.all([...workers].map((worker) => worker.child.kill('SIGKILL') && worker.ended));
    await redis.stop();
  }
  const seconds = (performance.now() - began) / 1e3;
  const begun = new Map();
  const ended = new Map();
  for (const note of readFileSync(notes, 'utf8').trim().split('\n')) {
    const [what, line] = note.split(' ');
    const counts = what === 'begin' ? begun : ended;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  rmSync(folder, { recursive: true, force: true });
  const runs = [...begun.values()].reduce((sum, count) => sum + count, 0);
  const cutShort = runs - [...ended.values()].reduce((sum, count) => sum + count, 0);
  const again = [...begun.values()].filter((count) => count > 1).length;
  const missing = jobs - ended.size;
  if (missing > 0) throw new Error(`${missing} of ${jobs} jobs were never done (seed ${seed})`);
  // Each consumer runs one job at a time: a kill leaves one job, cut short or with an end that was not told.
  if (runs - jobs > kills) throw new Error(`${runs - jobs} runs too many for ${kills} kills (seed ${seed})`);
  return { jobs, begun: runs, again, cutShort, kills, restarts, seconds: Math.round(seconds * 10) / 10 };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { jobs: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
  });
  console.log(await storm({ jobs: Number(values.jobs), seed: Number(values.seed), onProgress: console.log }));
}

// npm run bench:threads [-- --rounds n] [--case text]: ThreadPool beside piscina, tinypool, workerpool and poolifier.
//
// One process, two workers each, every pool warm. In each round this pool, piscina and the bounds run the same case one after
// the other, in an order of its own, so that what slows the machine down slows all of them; each round gives one ratio to
// piscina. The other pools take part in every fourth round: they decide nothing, and take most of the time. Shown are
// the median time and the median ratio with its 95 % interval (order statistics), speed of piscina = 1. A goal is reached
// or missed where the whole interval is; otherwise it says on which side the median lies.
//
// `bare threads` is no pool but the bound for pools whose threads sleep: two threads in `Atomics.wait` that are woken
// once for all of a case's tasks (or for each task, where tasks come one after the other), run them in a plain loop and
// answer once. It promises nothing, remembers nothing and cannot fail. Where a goal lies above its ratio, no pool that
// sleeps can reach it on the machine; a pool that meets a task before its thread sleeps can. `bare ring` is the same for
// numbers: a promise and a place in a ring in shared memory for each, and nothing else (tasks/bare-ring.js). `work alone`
// is arithmetic: what tasks of a known length take where they fill both threads and nothing else takes any time. It needs
// a CPU for each thread and none for whoever calls: nothing can be faster. Where a goal lies above one of the three, that
// is said beside the verdict, which stays a miss.
//
// Cases whose rounds are short, and therefore uneven, get several times as many rounds: where the system puts two threads, on
// one CPU or on two, changes what a round takes by a factor of two and more, for every pool, and only their number evens it out.
//
// Each side is warmed up on each case for as long: code that V8 compiles in the background needs its time, and two calls of a
// pool that is forty times as fast would be a fortieth of it.
//
// Before it is timed, each pool has to give the right results. Last comes how long endless loops on all
// threads take to abort: until a thread runs a task again.
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel, Worker } from 'node:worker_threads';
import { DynamicThreadPool } from 'poolifier';
import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import workerpool from 'workerpool';
import { defineTask, ThreadPool } from '../dist/index.js';
import { bareRing } from './tasks/bare-ring.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, case: { type: 'string', default: '' } },
});
const ROUNDS = Number(values.rounds);
const THREADS = 2;
const WARM_MS = 400;
/** Of so many rounds, the pools that decide nothing take part in one. */
const ROUNDS_PER_OTHERS = 4;
const tasksUrl = new URL('./tasks/pool-tasks.js', import.meta.url);
const path = (name) => fileURLToPath(new URL(`./tasks/${name}`, import.meta.url));

const pools = {
  'system-optimizer': () => {
    const pool = new ThreadPool({ minThreads: THREADS, maxThreads: THREADS });
    const tasks = Object.fromEntries(
      ['noop', 'describeOrder', 'busy', 'sumBytes', 'endless'].map((name) => [
        name,
        defineTask(tasksUrl, name),
      ]),
    );
    return {
      run: (name, args, transfer) => pool.run(tasks[name], args, transfer && { transfer }),
      abortable: (name, args, signal) => pool.run(tasks[name], args, { signal }),
      close: () => pool.close(),
    };
  },
  piscina: () => {
    const pool = new Piscina({ filename: tasksUrl.href, minThreads: THREADS, maxThreads: THREADS });
    return {
      run: (name, args, transferList) => pool.run(args, { name, transferList }),
      abortable: (name, args, signal) => pool.run(args, { name, signal }),
      close: () => pool.destroy(),
    };
  },
  tinypool: () => {
    const pool = new Tinypool({ filename: tasksUrl.href, minThreads: THREADS, maxThreads: THREADS });
    return {
      run: (name, args, transferList) => pool.run(args, { name, transferList }),
      abortable: (name, args, signal) => pool.run(args, { name, signal }),
      close: () => pool.destroy(),
    };
  },
  workerpool: () => {
    const pool = workerpool.pool(path('workerpool-worker.js'), {
      minWorkers: THREADS,
      maxWorkers: THREADS,
      workerType: 'thread',
    });
    return {
      run: (name, args, transfer) => pool.exec(name, [args], transfer && { transfer }),
      abortable: (name, args, signal) => {
        const running = pool.exec(name, [args]);
        // Rejects apart from the task.
        signal.addEventListener('abort', () => void running.cancel().catch(() => {}), { once: true });
        return running;
      },
      close: () => pool.terminate(),
    };
  },
  poolifier: () => {
    const pool = new DynamicThreadPool(THREADS, THREADS + 1, path('poolifier-worker.js'));
    return {
      run: (name, args, transfer) => pool.execute({ name, args }, undefined, undefined, transfer),
      abortable: (name, args, signal) => pool.execute({ name, args }, undefined, signal),
      close: () => pool.destroy(),
    };
  },
};

/** Two threads and what makes them run a task `count` times each. */
function bareThreads() {
  const threads = Array.from({ length: THREADS }, () => {
    const { port1: port, port2 } = new MessageChannel();
    const bell = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(path('bare-worker.js'), {
      workerData: { port: port2, bell },
      transferList: [port2],
    });
    worker.unref();
    let answered;
    port.on('message', (result) => answered(result));
    return (name, args, count = 1, transfer = []) =>
      new Promise((resolve) => {
        answered = resolve;
        port.postMessage({ name, args, count }, transfer);
        Atomics.add(bell, 0, 1);
        Atomics.notify(bell, 0);
      });
  });
  return {
    /** One call on one thread. */
    run: (name, args, transfer) => threads[0](name, args, 1, transfer),
    /** Equal parts of `count` calls on all threads. */
    share: (name, args, count) => Promise.all(threads.map((thread) => thread(name, args, count / THREADS))),
  };
}

const order = (id) => ({ id, name: 'bread', price: 2.5, amount: id % 7, tags: ['food', 'fresh'] });
const megabyte = 1 << 20;
const sharedBytes = new Uint8Array(new SharedArrayBuffer(megabyte)).fill(1);
const sequentially = (count, one) => async (pool) => {
  for (let i = 0; i < count; i += 1) await one(pool, i);
  return count;
};
const together = (count, one) => async (pool) => {
  await Promise.all(Array.from({ length: count }, (_, i) => one(pool, i)));
  return count;
};

/** Each result is followed by the next call, so that `depth` calls are under way until the last ones. */
const kept = (depth, count, one) => async (pool) => {
  let next = 0;
  const caller = async () => {
    while (next < count) await one(pool, next++);
  };
  await Promise.all(Array.from({ length: depth }, caller));
  return count;
};

const shared = (name, args, count) => async (bare) => {
  await bare.share(name, args, count);
  return count;
};

/**
 * `target`: least ratio to piscina that is wanted; without one, the case is shown beside the others. `bare`: the same work
 * on bare threads; `ring`: whether it can run on the bare ring; `aloneUs`: what a task takes at least on `THREADS` CPUs.
 * `times`: rounds, as a multiple of the number asked for.
 */
const cases = [
  {
    name: 'no-op, one after the other',
    target: 2.5,
    times: 12,
    run: sequentially(400, (p, i) => p.run('noop', i)),
    bare: sequentially(400, (p, i) => p.run('noop', i)),
  },
  {
    name: 'no-op, a burst of 1,000, numbers',
    target: 50,
    times: 12,
    run: together(1_000, (p, i) => p.run('noop', i)),
    ring: true,
  },
  {
    name: 'no-op, 1,000 kept in flight, numbers',
    target: 50,
    times: 4,
    run: kept(1_000, 10_000, (p, i) => p.run('noop', i)),
    ring: true,
  },
  {
    name: 'small objects, a burst of 1,000',
    target: 3,
    times: 2,
    run: together(1_000, (p, i) => p.run('describeOrder', order(i))),
  },
  {
    name: '10 µs tasks, a burst of 1,000',
    target: 5,
    times: 4,
    run: together(1_000, (p) => p.run('busy', 10)),
    bare: shared('busy', 10, 1_000),
    aloneUs: 10 / THREADS,
  },
  {
    name: '1 ms tasks, a burst of 100',
    target: 1.1,
    run: together(100, (p) => p.run('busy', 1_000)),
    bare: shared('busy', 1_000, 100),
    times: 3,
    aloneUs: 1_000 / THREADS,
  },
  {
    name: '1 ms tasks, one after the other',
    run: sequentially(20, (p) => p.run('busy', 1_000)),
    bare: sequentially(20, (p) => p.run('busy', 1_000)),
    aloneUs: 1_000,
  },
  {
    name: '1 MB transferred',
    target: 1,
    times: 20,
    prepare: () => Array.from({ length: 20 }, () => new Uint8Array(megabyte).fill(1)),
    run: transferred,
    bare: transferred,
  },
  {
    name: '1 MB shared',
    target: 1,
    times: 8,
    run: sequentially(50, (p) => p.run('sumBytes', sharedBytes)),
    bare: sequentially(50, (p) => p.run('sumBytes', sharedBytes)),
  },
];
async function transferred(pool, buffers) {
  for (const bytes of buffers) await pool.run('sumBytes', bytes, [bytes.buffer]);
  return buffers.length;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
/** 95 % interval of a median by order statistics. */
const intervalOf = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const low = Math.max(0, Math.floor(sorted.length / 2 - reach));
  return [sorted[low], sorted[sorted.length - 1 - low]];
};
/** What an interval says of a goal. */
const verdictOf = (ratio, low, high, target) => {
  if (low >= target) return 'reached';
  if (high < target) return 'missed';
  return ratio >= target ? 'reached by the median' : 'missed by the median';
};
const shuffled = (list) =>
  list
    .map((item) => [Math.random(), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);

const ABORT_GOAL_MS = 300;
const ABORT_LIMIT_MS = 5_000;

/** Sorted times of some aborts, in pools of their own; a pool that does not abort is asked once. */
async function abortTimes(make) {
  const ms = [];
  for (let turn = 0; turn < 5 && ms[0] !== Infinity; turn += 1) {
    const pool = make();
    await pool.run('noop', 1);
    const control = new AbortController();
    const begun = Array.from({ length: THREADS }, () => new Int32Array(new SharedArrayBuffer(4)));
    const loops = begun.map((began) => pool.abortable('endless', began, control.signal).catch(() => {}));
    while (begun.some((began) => Atomics.load(began, 0) === 0)) await delay(1);
    const from = performance.now();
    control.abort();
    const next = Promise.all(loops).then(() => pool.run('noop', 1));
    const isEnded = await Promise.race([next.then(() => true), delay(ABORT_LIMIT_MS, false)]);
    ms.push(isEnded ? performance.now() - from : Infinity);
    // Some do not close either then; the process ends with them.
    await Promise.race([Promise.resolve(pool.close()).catch(() => {}), delay(500)]);
  }
  return ms.sort((a, b) => a - b);
}

/** What decides no goal: neither this pool nor the one it is compared to nor a bound. */
const others = Object.keys(pools).filter((name) => name !== 'system-optimizer' && name !== 'piscina');
const running = Object.fromEntries(Object.entries(pools).map(([name, make]) => [name, make()]));
for (const [name, pool] of Object.entries(running)) {
  const results = await Promise.all([1, 2, 3].map((n) => pool.run('noop', n)));
  const described = await pool.run('describeOrder', order(3));
  if (String(results) !== '1,2,3' || described.total !== 7.5) throw new Error(`${name} gives wrong results`);
}

console.log(
  `Node ${process.version}, ${THREADS} workers each, ${ROUNDS} rounds, load ${loadavg()[0].toFixed(1)}`,
);
let missed = 0;
const bare = bareThreads();
const ring = bareRing();
for (const each of cases.filter((one) => one.name.includes(values.case))) {
  const { name, target, prepare } = each;
  const sides = Object.fromEntries(
    Object.entries(running).map(([side, pool]) => [side, (prepared) => each.run(pool, prepared)]),
  );
  if (each.bare !== undefined) sides['bare threads'] = (prepared) => each.bare(bare, prepared);
  if (each.ring) sides['bare ring'] = () => each.run(ring);
  const times = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (const run of Object.values(sides)) {
    for (const until = performance.now() + WARM_MS; performance.now() < until;) await run(prepare?.());
  }
  const rounds = ROUNDS * (each.times ?? 1);
  const all = Object.keys(sides);
  const deciding = all.filter((side) => !others.includes(side));
  for (let round = -2; round < rounds; round += 1) {
    for (const side of shuffled(round % ROUNDS_PER_OTHERS === 0 ? all : deciding)) {
      const prepared = prepare?.();
      const began = performance.now();
      const count = await sides[side](prepared);
      const us = ((performance.now() - began) * 1e3) / count;
      if (round >= 0) times[side][round] = us;
    }
  }
  if (each.aloneUs !== undefined) times['work alone'] = times.piscina.map(() => each.aloneUs);
  const bounds = ['bare threads', 'bare ring', 'work alone'].filter((side) => side in times);
  // Others have no time in most rounds, and flatMap passes over those.
  const ratiosOf = (us) => us.flatMap((one, round) => [times.piscina[round] / one]);
  const goal = target === undefined ? 'no goal' : `goal: ${target}× piscina`;
  console.log(`\n${name} (${goal}, ${rounds} rounds)`);
  for (const [pool, us] of Object.entries(times)) {
    const ratios = ratiosOf(us);
    const [low, high] = intervalOf(ratios);
    let verdict = '';
    if (pool === 'system-optimizer' && target !== undefined) {
      verdict = verdictOf(median(ratios), low, high, target);
      if (median(ratios) < target) {
        missed += 1;
        const lower = bounds.filter((side) => median(ratiosOf(times[side])) < target);
        if (lower.length > 0) verdict += `, above ${lower.join(' and ')}`;
      }
    }
    console.log(
      `  ${pool.padEnd(17)} ${median(us.flat()).toFixed(2).padStart(9)} µs a task  ` +
        `${median(ratios).toFixed(2).padStart(7)}×  [${low.toFixed(2)}, ${high.toFixed(2)}]  ${verdict}`,
    );
  }
  // Round by round, as everything here: the ratio of medians would not know which rounds were slow for all.
  for (const side of bounds) {
    const shares = times[side].map((us, round) => us / times['system-optimizer'][round]);
    const [low, high] = intervalOf(shares);
    console.log(
      `  this pool's speed is ${median(shares).toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}] of ${side}`,
    );
  }
}
if ('endless loop aborted'.includes(values.case)) {
  console.log(
    `\nendless loop aborted, on all threads, from abort() to the next task's result (goal: at most ${ABORT_GOAL_MS} ms)`,
  );
  for (const [name, make] of Object.entries(pools)) {
    const ms = await abortTimes(make);
    const shown = ms.map((each) => (each === Infinity ? `more than ${ABORT_LIMIT_MS}` : each.toFixed(1)));
    const isLate = name === 'system-optimizer' && Math.max(...ms) > ABORT_GOAL_MS;
    if (isLate) missed += 1;
    const verdict = name !== 'system-optimizer' ? '' : isLate ? 'missed' : 'reached';
    console.log(
      `  ${name.padEnd(17)} ${shown[ms.length >> 1]} ms (${shown[0]} to ${shown.at(-1)})  ${verdict}`,
    );
  }
}
for (const pool of Object.values(running)) await Promise.race([pool.close(), delay(2_000)]);
console.log(missed === 0 ? '\nAll goals reached.' : `\n${missed} goals missed.`);
// Threads that some pool could not stop must not keep the process.
process.exit(0);

// npm run bench:loops [-- --processes 5 --rounds 15 --case text]: loops on two threads under `schedule: 'auto'` against plain
// calls of the same kernels, and beside piscina with the best of seven chunkings of the same loop.
//
// First loops that should split, then two loops at sizes from 1 µs to 10 ms of work, which must never be slower than a plain
// call by more than 3 %. Each replicate is a fresh process, since code once compiled stays as it was compiled, and in it
// rounds of all sides in turn; results are compared first. The plain call is the one that V8 likes best: of one kernel, on
// one array, inlined and with its data as constants. Shown are medians over processes of the processes' median ratios (speed
// of the plain call = 1) with the least and the greatest. `ceiling` is two whole loops on two threads at once: what this
// machine's cores give just then, whoever schedules. `awaited` is the plain call with an `await` of a promise that is
// settled: what anything costs that may take a while and so has to be awaited; `async` is the plain call in an `async`
// function that is awaited, which is how one writes such a thing by hand. `parallelFor to awaited` and `to async` are the
// speeds beside these (= 1). Where `awaited` misses the goal too, no promise can reach it, and the row says so; then ours is
// judged beside that. `others` is the part of the machine that other processes had. With --hog a process that never sleeps
// runs beside.
import { spawn, spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    processes: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '15' },
    case: { type: 'string', default: '' },
    hog: { type: 'boolean', default: false },
  },
});
const child = fileURLToPath(new URL('./tasks/loop-race.js', import.meta.url));

const split = ['parallelFor', 'piscina', 'ceiling'];
const small = ['parallelFor', 'prepared', 'awaited', 'async'];
/** Of the sizes below, so many take milliseconds: there too the machine sets the ceiling. */
const LONG = 3;
const SIZES = {
  scale: [2_750, 7_500, 25_000, 75_000, 200_000, 600_000, 2_000_000, 6_000_000, 15_000_000],
  polish: [200, 500, 1_600, 5_000, 16_000, 50_000, 160_000, 500_000, 1_600_000],
};
const cases = [
  { kernel: 'mandelbrot', size: 400, goal: 1.8, sides: split },
  { kernel: 'nbody', size: 3_000, goal: 1.8, sides: split },
  { kernel: 'triangle', size: 12_000, goal: 1.9, sides: split },
  { kernel: 'sum', size: 50_000_000, goal: 1.9, sides: split },
  ...Object.entries(SIZES).flatMap(([kernel, sizes]) =>
    sizes.map((size, index) => ({
      kernel,
      size,
      goal: 0.97,
      sides: index < sizes.length - LONG ? small : [...small, 'ceiling'],
    })),
  ),
].map((each) => ({ ...each, name: `${each.kernel} ${each.size}` }));

function race({ kernel, size, sides }) {
  const job = JSON.stringify({ kernel, size, sides, rounds: Number(flags.rounds) });
  const { stdout, stderr, status } = spawnSync(process.execPath, [child, job], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const spread = (numbers) =>
  `${median(numbers).toFixed(3)}× [${Math.min(...numbers).toFixed(2)}, ${Math.max(...numbers).toFixed(2)}]`;

console.log(
  `Node ${process.version}, 2 threads, ${flags.processes} processes of ${flags.rounds} rounds, load ${loadavg()[0].toFixed(1)}`,
);
// Ends with this process, however that ends.
const hog = `while (process.ppid === ${process.pid}) for (let n = 0; n < 1e7; n += 1);`;
if (flags.hog) spawn(process.execPath, ['-e', hog], { stdio: 'ignore' }).unref();
let missed = 0;
let beyondPromises = 0;
for (const each of cases.filter(({ name }) => name.includes(flags.case))) {
  const runs = Array.from({ length: Number(flags.processes) }, () => race(each));
  const us = median(runs.map(({ serialUs }) => serialUs));
  const of = (side) => runs.map(({ ratios }) => ratios[side]);
  const others = median(runs.map((run) => run.others));
  const parts = [`${each.name.padEnd(18)} ${us.toFixed(1).padStart(9)} µs`];
  for (const side of each.sides.filter((one) => one === 'parallelFor' || one === 'prepared')) {
    const reached = median(of(side)) >= each.goal;
    const isPromise = side === 'parallelFor' && each.sides.includes('awaited');
    const isBeyond = !reached && isPromise && median(of('awaited')) < each.goal;
    if (isBeyond) beyondPromises += 1;
    else if (!reached) missed += 1;
    const verdict = reached ? 'reached' : isBeyond ? 'missed, as any promise does,' : 'missed';
    parts.push(`${side} ${spread(of(side))} ${verdict} ${each.goal}`);
  }
  if (each.sides.includes('piscina')) {
    const chunkings = Object.keys(runs[0].ratios).filter((side) => side.startsWith('piscina'));
    const best = chunkings.toSorted((a, b) => median(of(b)) - median(of(a)))[0];
    parts.push(`${best} chunks ${spread(of(best))}`);
  }
  if (each.sides.includes('ceiling')) parts.push(`ceiling ${spread(of('ceiling'))}`);
  if (each.sides.includes('awaited')) {
    const beside = runs.map(({ toAwaited }) => toAwaited);
    const keepsUp = median(beside) >= each.goal;
    if (!keepsUp) missed += 1;
    parts.push(
      `awaited ${spread(of('awaited'))}`,
      `async ${spread(of('async'))}`,
      `parallelFor to awaited ${spread(beside)} ${keepsUp ? 'reached' : 'missed'} ${each.goal}`,
      `to async ${spread(runs.map(({ toAsync }) => toAsync))}`,
    );
  }
  console.log(`${parts.join('   ')}   others ${(100 * others).toFixed(0)} %`);
}
console.log(missed === 0 ? '\nAll goals reached.' : `\n${missed} goals missed.`);
if (beyondPromises > 0)
  console.log(`Beside a plain call without a promise: ${beyondPromises} that no promise reaches.`);

// One comparison by another harness, in a process of its own and with its defaults, as its users run it.
// node rival.js <mitata | tinybench> <workload> <work of a> <work of b>
// Prints { ratio, claims }: `claims` where a reader of its output would take the two for different.
import * as workloads from './workloads.js';

const [, , harness, workload, workA, workB] = process.argv;
const make = workloads[workload];
/** What it calls a difference below this is no claim: the same allowance that our own procedure has. */
const MARGIN = 0.01;

const runs = { mitata: runMitata, tinybench: runTinybench };
console.log(JSON.stringify(await runs[harness](make(Number(workA)), make(Number(workB)))));

/** Its summary ranks by average: "b is 1.04x faster than a". */
async function runMitata(a, b) {
  const { bench, do_not_optimize, run, summary } = await import('mitata');
  summary(() => {
    bench('a', () => do_not_optimize(a()));
    bench('b', () => do_not_optimize(b()));
  });
  const { benchmarks } = await run({ format: 'quiet' });
  const [first, second] = benchmarks.map(({ runs: [{ stats }] }) => stats.avg);
  return { ratio: second / first, claims: Math.abs(Math.log(second / first)) > MARGIN };
}

/** Gives each mean with a margin of error: two means whose margins do not touch differ. */
async function runTinybench(a, b) {
  const { Bench } = await import('tinybench');
  const bench = new Bench();
  bench.add('a', a).add('b', b);
  await bench.run();
  const [first, second] = bench.tasks.map(({ result }) => result.latency);
  const ratio = second.mean / first.mean;
  const apart = Math.abs(second.mean - first.mean) > first.moe + second.moe;
  return { ratio, claims: apart && Math.abs(Math.log(ratio)) > MARGIN };
}

// npm run bench:dispatch [-- --processes 10 --check]: what a call through `dispatch` costs over the same call of the
// variant itself, in ns: the difference, because a ratio says more of the variant than of the dispatcher.
//
// Method: each replicate is a fresh process, since code once compiled stays as it was compiled. In it, pairs of batches
// in random order; a batch is a loop of its own text that calls one function. Other computations are dispatched before,
// as in a service: a dispatcher that is alone in its process is faster than it will be. Shown are the median over
// processes of each one's median difference, their mean with the interval of Student's t, and the worst: processes
// fall into two groups, by how V8 happened to compile them, and a mean alone would hide that.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { computation } from '../dist/computation/computation.js';
import { keepLearning } from '../dist/computation/online-learning.js';

const CALLS = 400_000;
const PAIRS = 31;
/** What the project holds itself to. */
const MAX_EXTRA_NS = 5;
/** Quantiles of Student's t for 95 %, by degrees of freedom from 1. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13];

const first = (values) => values[0] + values.length;
const last = (values) => values[values.length - 1] + values.length;
const bySize = (maxSize) => [
  { maxSize, variant: 'first' },
  { maxSize: null, variant: 'last' },
];
const SITUATIONS = {
  'one variant for all sizes': { choice: [{ maxSize: null, variant: 'first' }] },
  'two ranges, the first serves': { choice: bySize(1_000) },
  'two ranges, the second serves': { choice: bySize(4), direct: last },
  'three ranges, the third serves': {
    choice: [
      { maxSize: 2, variant: 'first' },
      { maxSize: 4, variant: 'last' },
      { maxSize: null, variant: 'first' },
    ],
  },
  'two ranges, own size function': { choice: bySize(1_000), size: (values) => values.length },
  'two ranges, own size function, learning': {
    choice: bySize(1_000),
    size: (values) => values.length,
    learns: true,
  },
};

let made = 0;
function loopOf(run, inputs) {
  made += 1;
  const source = `/* ${made} */ let total = 0;
    for (let i = 0; i < calls; i += 1) total += run(inputs[i & 7]);
    return total;`;
  const loop = new Function('run', 'inputs', 'calls', source);
  return () => {
    const start = process.hrtime.bigint();
    if (!(loop(run, inputs, CALLS) > 0)) throw new Error('A batch computed nothing.');
    return Number(process.hrtime.bigint() - start) / CALLS;
  };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

function measure() {
  const inputs = Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 }, (_, j) => i + j + 1));
  for (let i = 0; i < 9; i += 1) {
    const variants = { up: (n) => n + i, down: (n) => n - i };
    const other = computation({ name: `other ${i}`, variants });
    other.applyChoice({
      kind: 'computation',
      bySize: [
        { maxSize: 10, variant: 'up' },
        { maxSize: null, variant: 'down' },
      ],
    });
    for (let n = 0; n < 20_000; n += 1) other.dispatch(n % 20);
  }
  return Object.entries(SITUATIONS).map(([name, { choice, direct = first, size, learns }]) => {
    const subject = computation({ name, variants: { first, last }, ...(size && { size }) });
    subject.applyChoice({ kind: 'computation', bySize: choice });
    const learning = learns && keepLearning(subject, { choices: [] });
    const [byDispatch, byItself] = [loopOf(subject.dispatch, inputs), loopOf(direct, inputs)];
    for (let i = 0; i < 20; i += 1) [byDispatch, byItself].forEach((run) => run());
    const differences = [];
    const directs = [];
    for (let i = 0; i < PAIRS; i += 1) {
      const dispatchFirst = Math.random() < 0.5;
      const early = (dispatchFirst ? byDispatch : byItself)();
      const late = (dispatchFirst ? byItself : byDispatch)();
      differences.push(dispatchFirst ? early - late : late - early);
      directs.push(dispatchFirst ? late : early);
    }
    if (learning) learning.close();
    return { extraNs: median(differences), directNs: median(directs) };
  });
}

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '10' },
    check: { type: 'boolean', default: false },
    child: { type: 'boolean', default: false },
  },
});
if (values.child) {
  process.stdout.write(JSON.stringify(measure()));
} else {
  const processes = Number(values.processes);
  if (!(Number.isInteger(processes) && processes >= 2 && processes <= STUDENT.length + 1)) {
    throw new RangeError(`--processes must be from 2 to ${STUDENT.length + 1}.`);
  }
  const runs = Array.from({ length: processes }, () => {
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--child'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.status !== 0) throw new Error(`A process ended with ${child.status ?? child.signal}.`);
    return JSON.parse(child.stdout);
  });
  console.log(`Node ${process.version}, ${processes} fresh processes, other dispatchers in use in each.\n`);
  console.log(
    '| call | itself, ns | through dispatch, ns more: median process | mean (95 %) | worst process |',
  );
  console.log('| --- | ---: | ---: | ---: | ---: |');
  Object.keys(SITUATIONS).forEach((name, at) => {
    const extras = runs.map((run) => run[at].extraNs);
    const mean = extras.reduce((sum, value) => sum + value, 0) / processes;
    const variance = extras.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (processes - 1);
    const half = STUDENT[processes - 2] * Math.sqrt(variance / processes);
    const direct = median(runs.map((run) => run[at].directNs)).toFixed(1);
    console.log(
      `| ${name} | ${direct} | ${median(extras).toFixed(1)} | ${mean.toFixed(1)} (${(mean - half).toFixed(1)} … ` +
        `${(mean + half).toFixed(1)}) | ${Math.max(...extras).toFixed(1)} |`,
    );
    // While it learns it may cost more: that is asked for.
    if (values.check && !SITUATIONS[name].learns && median(extras) > MAX_EXTRA_NS) process.exitCode = 1;
  });
}

// Two ways to do a thing, in turns: the figure is the median of many turns each, the ratio the median of the ratios of
// neighbours, so that what slows the machine for a while slows both.
import { argv } from 'node:process';

export const QUICK = argv.includes('--quick');
const TURNS = QUICK ? 9 : 31;
const SLICE_MS = QUICK ? 1 : 3;

export const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function repeat(run, times) {
  const start = performance.now();
  for (let k = 0; k < times; k += 1) run();
  return (performance.now() - start) / times;
}

/**
 * Times of both in µs, how many times as fast the second is, and by how many µs it is slower, each with the middle half of the
 * turns.
 *
 * @param options.before called before every single call that is timed, which is then timed alone: for what is never called
 *   in a row.
 */
export function pair(one, two, { before } = {}) {
  const single = (run) => {
    before();
    return repeat(run, 1);
  };
  const calls = [one, two].map((run) => {
    repeat(run, 3);
    const once = repeat(run, Math.min(200, Math.max(1, Math.ceil(1 / Math.max(repeat(run, 1), 1e-4)))));
    const times = Math.max(1, Math.ceil(SLICE_MS / Math.max(once, 1e-5)));
    repeat(run, times);
    return times;
  });
  const ratios = [];
  const differences = [];
  const times = [[], []];
  for (let turn = 0; turn < (before ? 5 * TURNS : TURNS); turn += 1) {
    const order = turn % 2 === 0 ? [0, 1] : [1, 0];
    const took = [0, 0];
    for (const side of order) {
      const run = side === 0 ? one : two;
      took[side] = (before ? single(run) : repeat(run, calls[side])) * 1e3;
    }
    ratios.push(took[0] / took[1]);
    differences.push(took[1] - took[0]);
    for (const side of order) times[side].push(took[side]);
  }
  const ratio = median(ratios);
  const quartiles = (sorted) => [sorted[sorted.length >> 2], sorted[(3 * sorted.length) >> 2]];
  const [low, high] = quartiles(ratios);
  const slower = median(differences);
  return {
    one: median(times[0]),
    two: median(times[1]),
    ratio,
    low,
    high,
    slower,
    slowerRange: quartiles(differences),
  };
}

export const show = ({ one, two, ratio, low, high }) =>
  `${one.toFixed(2)} | ${two.toFixed(2)} | ${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;

export function table(title, head, rows) {
  console.log(
    `\n${title}\n\n| ${head.join(' | ')} |\n|${head.map((_, i) => (i === 0 ? ' --- |' : ' --: |')).join('')}`,
  );
  for (const row of rows) console.log(`| ${row} |`);
}

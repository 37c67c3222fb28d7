/** Partitioners over a grid of thread counts, shapes of cost, overheads and speeds: makespan over the lower bound. */
import { PARTITIONERS, partitionerIndex } from '../../dist/threads/partition/by-name.js';
import { costShapes, geometricMean, lowerBound, simulate } from './simulate.js';
import { randomFrom } from '../random.js';
import { trapezoidPartitioner } from './trapezoid.js';

/** Parts that a cost hint tells the cost of, as in production. */
const HINT_PARTS = 64;

/** Schedules by name; `default` is how `'auto'` distributes what it splits, alone and with a cost hint. */
export const SCHEDULES = {
  'default, with a cost hint': { partitioner: PARTITIONERS[partitionerIndex('auto')], hinted: true },
  default: { partitioner: PARTITIONERS[partitionerIndex('auto')] },
  shared_counter: { partitioner: PARTITIONERS[partitionerIndex('shared_counter')] },
  trapezoid: { partitioner: trapezoidPartitioner },
  factoring: { partitioner: PARTITIONERS[partitionerIndex('factoring')] },
  guided: { partitioner: PARTITIONERS[partitionerIndex('guided')] },
  'static, with a cost hint': { partitioner: PARTITIONERS[partitionerIndex('static')], hinted: true },
  static: { partitioner: PARTITIONERS[partitionerIndex('static')] },
};

/**
 * What is measured by `npm run bench:balance`. Overheads are in mean units of work: handing out a chunk takes 0.1 to 0.5 µs,
 * a unit of a loop that is worth splitting 1 to 10 µs.
 */
export const WHOLE_GRID = {
  units: 4_096,
  participants: [2, 4, 8, 16, 32, 64, 128],
  overheads: [0.02, 0.1, 0.5],
  seeds: [1, 2, 3],
};

/**
 * Speeds of participants: 1, or for one third of them, drawn by lot, one half.
 *
 * @param {number} participants
 * @param {boolean} slowThird One of two where there are two.
 * @param {() => number} random
 */
export function speedsOf(participants, slowThird, random) {
  const speeds = new Array(participants).fill(1);
  if (!slowThird) return speeds;
  const places = [...speeds.keys()];
  for (let slow = Math.max(1, Math.round(participants / 3)); slow > 0; slow -= 1)
    speeds[places.splice(Math.floor(random() * places.length), 1)[0]] = 0.5;
  return speeds;
}

function hintOf(costs) {
  const { length } = costs;
  return Array.from({ length: HINT_PARTS }, (_, part) =>
    costs
      .slice((part * length) / HINT_PARTS, ((part + 1) * length) / HINT_PARTS)
      .reduce((sum, cost) => sum + cost, 0),
  );
}

/**
 * One ratio for each point of the grid; the same in every run.
 *
 * @param {keyof typeof SCHEDULES} schedule
 * @param {{ grid?: typeof WHOLE_GRID, slowThird?: boolean }} [options]
 * @returns {{ participants: number, overhead: number, shape: string, ratio: number }[]}
 */
export function ratiosOf(schedule, { grid = WHOLE_GRID, slowThird = false } = {}) {
  const { partitioner, hinted = false } = SCHEDULES[schedule];
  const { units, seeds } = grid;
  const ratios = [];
  for (const seed of seeds) {
    const shapes = costShapes(units, seed);
    const random = randomFrom(1_000 + seed);
    for (const participants of grid.participants) {
      const speeds = speedsOf(participants, slowThird, random);
      for (const [shape, costs] of Object.entries(shapes)) {
        const plan = { units, participants, grain: null, ...(hinted && { weights: hintOf(costs) }) };
        const bound = lowerBound({ costs, speeds });
        for (const overhead of grid.overheads) {
          const { makespan } = simulate(partitioner, { plan, costs, speeds, overhead });
          ratios.push({ participants, overhead, shape, ratio: makespan / bound });
        }
      }
    }
  }
  return ratios;
}

/**
 * @param {readonly { ratio: number }[]} points
 * @returns {{ mean: number, low: number, high: number, worst: number }} Geometric mean, 5th and 95th percentile, greatest.
 */
export function summary(points) {
  const ratios = points.map(({ ratio }) => ratio).sort((a, b) => a - b);
  const at = (share) => ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))];
  return { mean: geometricMean(ratios), low: at(0.05), high: at(0.95), worst: ratios.at(-1) };
}

/**
 * A discrete-event simulation of participants that take chunks from a partitioner: the code that runs in production, on
 * virtual time. Whoever is free first asks next; getting a chunk costs `overhead`, then its units cost what they cost,
 * divided by the participant's speed.
 *
 * Rejected: a model of each schedule in formulas. It would tell how the model balances, not how the code does.
 */

import { randomFrom } from '../random.js';

/**
 * @typedef {object} Simulation
 * @property {import('../../dist/threads/partition/partitioner.js').PartitionPlan} plan
 * @property {readonly number[]} costs Cost of each unit on a participant of speed 1.
 * @property {readonly number[]} speeds One per participant.
 * @property {number} overhead Time to get a chunk, in the unit of `costs`.
 */

/**
 * @typedef {object} SimulationResult
 * @property {number} makespan When the last participant has finished.
 * @property {readonly (readonly [participant: number, start: number, end: number])[]} chunks In the order of requests.
 */

/**
 * @param {Pick<import('../../dist/threads/partition/partitioner.js').Partitioner, 'stateWords' | 'init' | 'next'>} partitioner
 * @param {Simulation} simulation
 * @returns {SimulationResult}
 */
export function simulate(partitioner, { plan, costs, speeds, overhead }) {
  const state = new Int32Array(partitioner.stateWords(plan.participants));
  partitioner.init(state, plan);
  const upTo = new Float64Array(costs.length + 1);
  for (let unit = 0; unit < costs.length; unit += 1) upTo[unit + 1] = upTo[unit] + costs[unit];
  const freeAt = new Float64Array(speeds.length);
  const active = Array.from(speeds.keys());
  const chunk = { start: 0, end: 0 };
  /** @type {[number, number, number][]} */
  const chunks = [];
  let makespan = 0;
  while (active.length > 0) {
    let first = 0;
    for (let index = 1; index < active.length; index += 1)
      if (freeAt[active[index]] < freeAt[active[first]]) first = index;
    const next = active[first];
    if (!partitioner.next(state, next, chunk)) {
      active.splice(first, 1);
      continue;
    }
    freeAt[next] += overhead + (upTo[chunk.end] - upTo[chunk.start]) / speeds[next];
    makespan = Math.max(makespan, freeAt[next]);
    chunks.push([next, chunk.start, chunk.end]);
  }
  return { makespan, chunks };
}

/**
 * No schedule can be faster: all work at full speed and no overhead, or the dearest unit on the fastest participant.
 *
 * @param {Pick<Simulation, 'costs' | 'speeds'>} simulation
 */
export function lowerBound({ costs, speeds }) {
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const speed = speeds.reduce((sum, each) => sum + each, 0);
  const dearest = costs.reduce((most, cost) => Math.max(most, cost), 0);
  return Math.max(total / speed, dearest / Math.max(...speeds));
}

/**
 * Eight shapes of cost over a range, each with a mean near 1.
 *
 * @param {number} units
 * @param {number} [seed]
 * @returns {Record<string, readonly number[]>}
 */
export function costShapes(units, seed = 1) {
  const random = randomFrom(seed);
  /** @param {(position: number) => number} cost */
  const shape = (cost) => Array.from({ length: units }, (_, unit) => cost((unit + 0.5) / units));
  return {
    constant: shape(() => 1),
    uniform: shape(() => 2 * random()),
    exponential: shape(() => -Math.log(1 - random())),
    increasing: shape((position) => 2 * position),
    decreasing: shape((position) => 2 * (1 - position)),
    bimodal: shape(() => (random() < 0.1 ? 7.3 : 0.3)),
    heavyTail: shape(() => Math.min(50, 0.33 * (1 - random()) ** (-1 / 1.5))),
    peak: shape((position) => (Math.abs(position - 0.5) < 0.05 ? 9.1 : 0.1)),
  };
}

/** @param {readonly number[]} values */
export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

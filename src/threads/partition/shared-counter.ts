/**
 * Shared counter (self-scheduling with fixed chunks): each request takes the next `grain` units. Balances well with
 * a small grain, at one contended atomic addition a chunk.
 */
import { LINE_WORDS, type Partitioner } from './partitioner.js';

// state: [units, grain], then on a line of its own: [next unit]
const UNITS = 0;
const GRAIN = 1;
const NEXT = LINE_WORDS;

/** Chunks a participant gets on average where no grain is given: an imbalance of 1/16 of a share at most. */
const CHUNKS_PER_PARTICIPANT = 16;

export const sharedCounterPartitioner: Partitioner = {
  name: 'shared_counter',
  owned: false,
  stateWords: () => LINE_WORDS * 2,

  init(state, { units, participants, grain }) {
    state[UNITS] = units;
    state[GRAIN] = grain ?? Math.max(1, Math.ceil(units / (participants * CHUNKS_PER_PARTICIPANT)));
    state[NEXT] = 0;
  },

  next(state, _participant, chunk) {
    const units = state[UNITS]!;
    // Looking first keeps the counter below 2^31 under a caller that asks again and again.
    if (Atomics.load(state, NEXT) >= units) return false;
    const start = Atomics.add(state, NEXT, state[GRAIN]!);
    if (start >= units) return false;
    chunk.start = start;
    chunk.end = Math.min(units, start + state[GRAIN]!);
    return true;
  },
};

/**
 * Guided self-scheduling (Polychronopoulos and Kuck, 1987): each request takes 1/participants of what is left.
 * Few requests, but the first chunks are so large that one slow thread with one of them decides the makespan
 * (simulated 1.37 times the bound).
 */
import { LINE_WORDS, type Partitioner } from './partitioner.js';

// state: [units, participants, least grain], then on a line of its own: [next unit]
const UNITS = 0;
const PARTICIPANTS = 1;
const GRAIN = 2;
const NEXT = LINE_WORDS;

export const guidedPartitioner: Partitioner = {
  name: 'guided',
  owned: false,
  stateWords: () => LINE_WORDS * 2,

  init(state, { units, participants, grain }) {
    state[UNITS] = units;
    state[PARTICIPANTS] = participants;
    state[GRAIN] = grain ?? 1;
    state[NEXT] = 0;
  },

  next(state, _participant, chunk) {
    const units = state[UNITS]!;
    for (;;) {
      const start = Atomics.load(state, NEXT);
      if (start >= units) return false;
      const share = Math.ceil((units - start) / state[PARTICIPANTS]!);
      const end = Math.min(units, start + Math.max(state[GRAIN]!, share));
      if (Atomics.compareExchange(state, NEXT, start, end) === start) {
        chunk.start = start;
        chunk.end = end;
        return true;
      }
    }
  },
};

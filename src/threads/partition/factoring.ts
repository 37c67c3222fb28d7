/**
 * Factoring (Hummel, Schonberg and Flynn, 1992): chunks come in batches of one per participant, and each batch hands
 * out half of what is left. First chunks are half as large as guided's, which costs a few more requests and
 * guards against uneven iterations (simulated makespan 1.22 times the bound).
 *
 * The nth chunk is a pure function of n, so one shared counter is all the coordination.
 */
import { LINE_WORDS, type Partitioner } from './partitioner.js';

// state: [units, participants, least grain], then on a line of its own: [chunks handed out]
const UNITS = 0;
const PARTICIPANTS = 1;
const GRAIN = 2;
const TAKEN = LINE_WORDS;

export const factoringPartitioner: Partitioner = {
  name: 'factoring',
  owned: false,
  stateWords: () => LINE_WORDS * 2,

  init(state, { units, participants, grain }) {
    state[UNITS] = units;
    state[PARTICIPANTS] = participants;
    state[GRAIN] = grain ?? 1;
    state[TAKEN] = 0;
  },

  next(state, _participant, chunk) {
    const units = state[UNITS]!;
    const participants = state[PARTICIPANTS]!;
    const grain = state[GRAIN]!;
    const index = Atomics.add(state, TAKEN, 1);
    let batch = Math.floor(index / participants);
    let start = 0;
    let size = units;
    // At most 17 rounds: each batch halves what is left.
    for (;;) {
      size = Math.max(grain, Math.ceil((units - start) / (2 * participants)));
      if (batch === 0 || size === grain) break;
      start += size * participants;
      batch -= 1;
    }
    start += size * (batch * participants + (index % participants));
    if (start >= units) {
      // Keeps the counter from running away under a caller that asks again and again.
      Atomics.sub(state, TAKEN, 1);
      return false;
    }
    chunk.start = start;
    chunk.end = Math.min(units, start + size);
    return true;
  },
};

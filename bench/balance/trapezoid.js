/**
 * Trapezoid self-scheduling (Tzen and Ni, 1993), to compare with: chunks shrink linearly from units / (2 · participants) to
 * one unit (or the grain). Not in the library: in the mean the simulation has it behind stealing, as the other central
 * queues.
 *
 * The nth chunk is a pure function of n, so one shared counter is all the coordination.
 */
const LINE_WORDS = 32;
// state: [units, first, last], then on a line of its own: [chunks handed out]
const UNITS = 0;
const FIRST = 1;
const LAST = 2;
const TAKEN = LINE_WORDS;

export const trapezoidPartitioner = {
  name: 'trapezoid',
  owned: false,
  stateWords: () => LINE_WORDS * 2,

  init(state, { units, participants, grain }) {
    const last = grain ?? 1;
    state[UNITS] = units;
    state[FIRST] = Math.max(last, Math.ceil(units / (2 * participants)));
    state[LAST] = last;
    state[TAKEN] = 0;
  },

  next(state, _participant, chunk) {
    const units = state[UNITS];
    const first = state[FIRST];
    const last = state[LAST];
    const chunks = Math.ceil((2 * units) / (first + last));
    const step = chunks > 1 ? (first - last) / (chunks - 1) : 0;
    // Where the chunks before a chunk end; `chunks` of them reach the end of the range.
    const startOf = (index) => Math.round(index * first - (step * index * (index - 1)) / 2);
    const index = Atomics.add(state, TAKEN, 1);
    const start = startOf(index);
    if (index >= chunks || start >= units) {
      Atomics.sub(state, TAKEN, 1);
      return false;
    }
    chunk.start = start;
    chunk.end = index === chunks - 1 ? units : Math.min(units, startOf(index + 1));
    return true;
  },
};

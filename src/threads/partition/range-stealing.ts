/**
 * Range stealing: every participant starts with a contiguous share (of equal cost, where weights are given), takes an
 * eighth of what is left of it at a time, and when it is empty steals the upper half of the longest share.
 *
 * - A share is one word (first unit, end), so taking and stealing are one compare-and-swap each, and a value that
 *   comes back means the same units are left: there is no ABA problem.
 * - Taking an eighth adapts the grain to what is left, so a share can be robbed of most of its work at any time.
 * - A thief takes its first chunk as part of the steal. If it only moved the half into its own share, idle thieves
 *   could pass the last units around without anybody running them.
 *
 * Rejected: deques of tasks (a word per chunk instead of per share), random victims (longest share needs fewer steals
 * at the thread counts of one host).
 */
import { LINE_WORDS, shareEnds, type Chunk, type Partitioner } from './partitioner.js';

// state: [participants, least grain], then a line per participant: [share]
const PARTICIPANTS = 0;
const GRAIN = 1;
const TAKE_DIVISOR = 8;

export const rangeStealingPartitioner: Partitioner = {
  name: 'stealing',
  owned: false,
  stateWords: (participants) => LINE_WORDS * (1 + participants),

  init(state, plan) {
    state[PARTICIPANTS] = plan.participants;
    state[GRAIN] = plan.grain ?? 1;
    let start = 0;
    shareEnds(plan).forEach((end, participant) => {
      state[shareWord(participant)] = pack(start, end);
      start = end;
    });
  },

  next(state, participant, chunk) {
    return takeOwn(state, participant, chunk) || steal(state, participant, chunk);
  },
};

function takeOwn(state: Int32Array, participant: number, chunk: Chunk): boolean {
  const word = shareWord(participant);
  for (;;) {
    const share = Atomics.load(state, word);
    const first = firstOf(share);
    const end = endOf(share);
    if (first >= end) return false;
    const taken = Math.min(end, first + take(end - first, state[GRAIN]!));
    if (Atomics.compareExchange(state, word, share, pack(taken, end)) === share) {
      chunk.start = first;
      chunk.end = taken;
      return true;
    }
  }
}

function steal(state: Int32Array, thief: number, chunk: Chunk): boolean {
  const participants = state[PARTICIPANTS]!;
  const grain = state[GRAIN]!;
  for (;;) {
    let victim = -1;
    let share = 0;
    let longest = 0;
    for (let step = 1; step < participants; step += 1) {
      const candidate = (thief + step) % participants;
      const value = Atomics.load(state, shareWord(candidate));
      const length = endOf(value) - firstOf(value);
      if (length > longest) {
        victim = candidate;
        share = value;
        longest = length;
      }
    }
    if (victim < 0) return false;
    const first = firstOf(share);
    const end = endOf(share);
    // What is not longer than a chunk goes whole.
    const middle = longest <= grain ? first : first + Math.floor(longest / 2);
    if (Atomics.compareExchange(state, shareWord(victim), share, pack(first, middle)) !== share) continue;
    const taken = Math.min(end, middle + take(end - middle, grain));
    // The thief's own share is empty, and only its owner fills a share.
    Atomics.store(state, shareWord(thief), pack(taken, end));
    chunk.start = middle;
    chunk.end = taken;
    return true;
  }
}

function take(length: number, grain: number): number {
  return Math.max(grain, Math.ceil(length / TAKE_DIVISOR));
}

function shareWord(participant: number): number {
  return LINE_WORDS * (1 + participant);
}

function pack(first: number, end: number): number {
  return (first << 16) | end;
}

function firstOf(share: number): number {
  return share >>> 16;
}

function endOf(share: number): number {
  return share & 0xffff;
}

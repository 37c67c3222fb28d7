import { describe, expect, it } from 'vitest';
import { PARTITIONERS, partitionerIndex } from '../../../dist/threads/partition/by-name.js';
import { MAX_UNITS, shareEnds, type Partitioner } from '../../../dist/threads/partition/partitioner.js';
import { randomFrom, simulate } from '../../fixtures/threads/simulate.js';

/** Runs a partitioner with participants that ask in random order; returns how often each unit was handed out. */
function visits(
  partitioner: Partitioner,
  units: number,
  participants: number,
  grain: number | null,
  seed: number,
) {
  const random = randomFrom(seed);
  const state = new Int32Array(partitioner.stateWords(participants));
  partitioner.init(state, { units, participants, grain });
  const counts = new Uint8Array(units);
  const sizes: number[] = [];
  const active = Array.from({ length: participants }, (_, index) => index);
  const chunk = { start: -1, end: -1 };
  while (active.length > 0) {
    const at = Math.floor(random() * active.length);
    if (!partitioner.next(state, active[at]!, chunk)) {
      active.splice(at, 1);
      continue;
    }
    if (!(chunk.start >= 0 && chunk.start < chunk.end && chunk.end <= units)) {
      throw new Error(`chunk [${chunk.start}, ${chunk.end}) of ${units} units`);
    }
    sizes.push(chunk.end - chunk.start);
    for (let unit = chunk.start; unit < chunk.end; unit += 1) counts[unit]! += 1;
  }
  return { counts, sizes };
}

describe.each(PARTITIONERS)('$name', (partitioner) => {
  it('hands out every unit exactly once, in whatever order participants ask', () => {
    for (const units of [1, 2, 7, 64, 1_000, MAX_UNITS]) {
      for (const participants of [1, 2, 3, 8, 128]) {
        for (const grain of [null, 1, 5, 100_000]) {
          const least = grain === null ? null : Math.min(grain, units);
          const { counts } = visits(partitioner, units, participants, least, units + participants);
          expect(counts.every((count) => count === 1)).toBe(true);
        }
      }
    }
  });

  it('gives nothing for an empty range', () => {
    expect(visits(partitioner, 0, 4, null, 1).sizes).toEqual([]);
  });

  it('goes on saying that nothing is left', () => {
    const state = new Int32Array(partitioner.stateWords(2));
    partitioner.init(state, { units: 3, participants: 2, grain: null });
    const chunk = { start: 0, end: 0 };
    for (const participant of [0, 1]) while (partitioner.next(state, participant, chunk));
    let given = 0;
    for (let ask = 0; ask < 100_000; ask += 1) if (partitioner.next(state, ask % 2, chunk)) given += 1;
    expect(given).toBe(0);
  });

  it('hands out no chunk below the grain, except where work runs out', () => {
    const { sizes } = visits(partitioner, 10_000, 4, 100, 3);
    // One short chunk an owner at most: at the end of a share.
    expect(sizes.filter((size) => size < 100).length).toBeLessThanOrEqual(
      partitioner.name === 'stealing' ? 40 : 4,
    );
    expect(sizes.length).toBeLessThanOrEqual(140);
  });
});

describe('chunk sizes', () => {
  const sizes = (name: Parameters<typeof partitionerIndex>[0], grain: number | null) => {
    const partitioner = PARTITIONERS[partitionerIndex(name)]!;
    const speeds = [1, 1, 1, 1];
    const plan = { units: 1_600, participants: 4, grain };
    return simulate(partitioner, {
      plan,
      costs: new Array<number>(1_600).fill(1),
      speeds,
      overhead: 0,
    }).chunks.map(([, start, end]) => end - start);
  };

  it('static: one share each', () => expect(sizes('static', null)).toEqual([400, 400, 400, 400]));
  it('static with a grain: dealt round robin', () => {
    const partitioner = PARTITIONERS[partitionerIndex('static')]!;
    const plan = { units: 40, participants: 2, grain: 10 };
    const { chunks } = simulate(partitioner, {
      plan,
      costs: new Array<number>(40).fill(1),
      speeds: [1, 1],
      overhead: 0,
    });
    expect(chunks.filter(([participant]) => participant === 0)).toEqual([
      [0, 0, 10],
      [0, 20, 30],
    ]);
  });
  it('guided: a participant’s part of what is left', () =>
    expect(sizes('guided', null).slice(0, 3)).toEqual([400, 300, 225]));
  it('factoring: batches of equal chunks, each half of what is left', () =>
    expect(sizes('factoring', null).slice(0, 8)).toEqual([200, 200, 200, 200, 100, 100, 100, 100]));
  it('shared counter: equal', () => expect(new Set(sizes('shared_counter', 50))).toEqual(new Set([50])));
  it('stealing: an eighth of one’s own share at a time', () =>
    expect(sizes('stealing', null).slice(0, 4)).toEqual([50, 50, 50, 50]));
});

describe('stealing', () => {
  it('takes half of the longest share and runs a chunk of it at once', () => {
    const stealing = PARTITIONERS[partitionerIndex('stealing')]!;
    const state = new Int32Array(stealing.stateWords(2));
    stealing.init(state, { units: 200, participants: 2, grain: null, weights: [1, 0] });
    const chunk = { start: 0, end: 0 };
    // Participant 1 owns the free half; it empties it, then robs participant 0 of the upper half of its own.
    const taken: [number, number][] = [];
    while (taken.length === 0 || taken.at(-1)![0] >= 50) {
      expect(stealing.next(state, 1, chunk)).toBe(true);
      taken.push([chunk.start, chunk.end]);
      if (taken.length > 100) break;
    }
    const stolen = taken.find(([start]) => start < taken[0]![0])!;
    expect(stolen[0]).toBe(Math.floor(taken[0]![0] / 2));
    expect(stolen[1] - stolen[0]).toBe(Math.ceil(Math.ceil(taken[0]![0] / 2) / 8));
  });
});

describe('shareEnds', () => {
  it('splits evenly without weights', () => {
    expect(shareEnds({ units: 10, participants: 4, grain: null })).toEqual([3, 5, 8, 10]);
  });
  it('splits by cost with weights', () => {
    // The second half costs three times the first.
    expect(shareEnds({ units: 100, participants: 2, grain: null, weights: [1, 3] })).toEqual([67, 100]);
  });
  it('stays within the range and in order for any weights', () => {
    const random = randomFrom(5);
    for (let round = 0; round < 200; round += 1) {
      const weights = Array.from({ length: 1 + Math.floor(random() * 20) }, () =>
        random() < 0.5 ? 0 : random() * 9,
      );
      const ends = shareEnds({
        units: 37,
        participants: 1 + Math.floor(random() * 12),
        grain: null,
        weights,
      });
      expect(ends.at(-1)).toBe(37);
      ends.forEach((end, index) => expect(end).toBeGreaterThanOrEqual(ends[index - 1] ?? 0));
    }
  });
});

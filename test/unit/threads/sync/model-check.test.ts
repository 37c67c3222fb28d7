import { describe, expect, it } from 'vitest';
import { FIRST_WORD, LINE_WORDS } from '../../../../dist/threads/sync/shared-block.js';
import type { Steps } from '../../../fixtures/step-rewriting.js';
import { explore, type Scenario, type World } from './interleavings.js';

const wordsOf = (lines: number) => new Int32Array(FIRST_WORD + lines * LINE_WORDS);
/** `npm run verify:sync` looks deeper than fits in a unit test. */
const DEEPER = Number(process.env.SYNC_MORE_PREEMPTIONS ?? 0);
const run = (scenario: Scenario) => {
  const { maxPreemptions } = scenario;
  const bound = maxPreemptions === undefined ? {} : { maxPreemptions: maxPreemptions + DEEPER };
  const { ends, states } = explore({ ...scenario, ...bound });
  if (DEEPER > 0)
    console.log(`${String(expect.getState().currentTestName)}: ${ends} endings, ${states} states`);
  // A scenario that does not branch checks nothing.
  expect(ends).toBeGreaterThan(1);
  expect(states).toBeGreaterThan(50);
};

/** A room that one thread at a time may be in. */
class Room {
  readonly inside = new Set<number>();
  readonly abandonedSeen: number[] = [];

  *stay(world: World, party: number): Steps<void> {
    for (const other of this.inside)
      if (!world.isDead(other)) throw new Error(`${party} is in with ${other}`);
    const dead = [...this.inside].filter((other) => world.isDead(other));
    for (const other of dead) this.inside.delete(other);
    this.inside.add(party);
    yield undefined;
    this.inside.delete(party);
  }
}

function mutexWorld(world: World, parties: number) {
  const words = wordsOf(1);
  const locks = Array.from({ length: parties }, (_, k) => new world.code.LockWord(words, FIRST_WORD, k + 1));
  const room = new Room();
  const take = function* (party: number): Steps<void> {
    const { abandoned } = yield* world.code.blockUntil(locks[party], undefined, Infinity);
    if (abandoned) room.abandonedSeen.push(party);
    yield* room.stay(world, party);
    if (!(yield* locks[party].release())) throw new Error('the holder was refused');
  };
  return { words, locks, room, take };
}

describe('Mutex, all interleavings', () => {
  it('lets one in at a time and forgets nobody, twice each', () => {
    run({
      maxPreemptions: 4,
      make(world) {
        const { words, take } = mutexWorld(world, 2);
        const program = function* (party: number): Steps<void> {
          yield* take(party);
          yield* take(party);
        };
        return {
          memory: [words],
          programs: [program(0), program(1)],
          check: () => expect(words[FIRST_WORD]! >> 2).toBe(0),
        };
      },
    });
  });

  it('wakes the second sleeper too', () => {
    run({
      maxPreemptions: 3,
      make(world) {
        const { words, take } = mutexWorld(world, 3);
        return {
          memory: [words],
          programs: [take(0), take(1), take(2)],
          check: () => expect(words[FIRST_WORD]).toBe(0),
        };
      },
    });
  });

  it('outlives a holder, a sleeper and a waker terminated anywhere, and says so to the next holder alone', () => {
    run({
      mortal: [0],
      maxPreemptions: 3,
      make(world) {
        const { words, locks, room, take } = mutexWorld(world, 3);
        let found = false;
        const supervisor = function* (): Steps<void> {
          yield* world.until(() => world.isOver(0));
          if (world.isDead(0)) found = yield* locks[2].abandon(1);
        };
        const other = function* (): Steps<void> {
          yield* take(1);
          // Only now is the lock sure to have a holder after the death.
          yield* world.until(() => world.isOver(2));
          yield* take(1);
        };
        return {
          memory: [words],
          programs: [take(0), other(), supervisor()],
          check: () => expect(room.abandonedSeen.length).toBe(found ? 1 : 0),
        };
      },
    });
  });

  it('refuses to release what another holds', () => {
    run({
      make(world) {
        const { words, locks, take } = mutexWorld(world, 3);
        const thief = function* (): Steps<void> {
          for (let k = 0; k < 3; k += 1) expect(yield* locks[2].release()).toBe(false);
        };
        return { memory: [words], programs: [take(0), take(1), thief()], check: () => undefined };
      },
      maxPreemptions: 3,
    });
  });
});

describe('Condition, all interleavings', () => {
  it('misses no notification between giving up the mutex and sleeping', () => {
    run({
      maxPreemptions: 5,
      make(world) {
        const { words, locks } = mutexWorld(world, 2);
        const own = wordsOf(1);
        const condition = new world.code.ConditionWord(own, FIRST_WORD);
        let ready = false;
        const waiter = function* (): Steps<void> {
          yield* world.code.blockUntil(locks[0], undefined, Infinity);
          while (!ready) {
            const before = yield* condition.ticket();
            yield* locks[0].release();
            yield* world.code.blockUntil(condition, before, Infinity);
            yield* world.code.blockUntil(locks[0], undefined, Infinity);
          }
          yield* locks[0].release();
        };
        const notifier = function* (): Steps<void> {
          yield* world.code.blockUntil(locks[1], undefined, Infinity);
          ready = true;
          yield* condition.announce(1);
          yield* locks[1].release();
        };
        return {
          memory: [words, own],
          programs: [waiter(), notifier()],
          check: () => expect(ready).toBe(true),
        };
      },
    });
  });
});

describe('Semaphore, all interleavings', () => {
  it('never has more takers than permits and serves all', () => {
    run({
      maxPreemptions: 2,
      make(world) {
        const words = wordsOf(3);
        const semaphore = new world.code.PermitWord(words, 2);
        words[FIRST_WORD] = 2;
        let inside = 0;
        const user = function* (permits: number): Steps<void> {
          yield* world.code.blockUntil(semaphore, permits, Infinity);
          inside += permits;
          expect(inside).toBeLessThanOrEqual(2);
          yield undefined;
          inside -= permits;
          expect(yield* semaphore.give(permits)).toBe(true);
        };
        return {
          memory: [words],
          programs: [user(2), user(1), user(2)],
          check: () => expect(words[FIRST_WORD]).toBe(2),
        };
      },
    });
  });
});

function turnsOf(queue: any) {
  const turn = (event: any, attempt: (argument: any) => Steps<any>) => ({
    words: event.words,
    index: event.index,
    attempt,
    enterWait: () => event.enterWait(),
    leaveWait: () => event.leaveWait(),
    ticket: () => event.ticket(),
  });
  const pushing = turn(queue.popped, function* (item): Steps<any> {
    return (yield* queue.push(item)) || undefined;
  });
  const popping = turn(queue.pushed, () => queue.pop());
  return { pushing, popping };
}
const numbersOf = (capacity: number) => ({
  numbers: new Float64Array(capacity),
  bytes: new Uint8Array(),
  lengths: new Int32Array(),
  itemBytes: 0,
});

// Found by the third: waking one sleeper for one item forgets one where a slot is published before the one ahead of it.
describe('MpmcQueue, all interleavings', () => {
  it.each([
    ['two producers, one consumer', [[1], [2]], [2]],
    ['one producer, two consumers', [[1, 2]], [1, 1]],
    ['two and two over a full queue', [[1, 2], [3]], [2, 1]],
  ] as const)('hands every item on once: %s', (_, pushes, pops) => {
    run({
      maxPreemptions: 1,
      make(world) {
        const words = wordsOf(6);
        const store = numbersOf(2);
        const turns = new Int32Array([0, 1]);
        const queue = new world.code.MpmcWords(words, turns, store);
        const { pushing, popping } = turnsOf(queue);
        const got: number[][] = [];
        const producer = function* (items: readonly number[]): Steps<void> {
          for (const item of items) yield* world.code.blockUntil(pushing, item, Infinity);
        };
        const consumer = function* (count: number, mine: number[]): Steps<void> {
          for (let k = 0; k < count; k += 1)
            mine.push(yield* world.code.blockUntil(popping, undefined, Infinity));
        };
        const programs = [
          ...pushes.map((items) => producer(items)),
          ...pops.map((count) => {
            const mine: number[] = [];
            got.push(mine);
            return consumer(count, mine);
          }),
        ];
        const check = () => {
          expect(got.flat().sort()).toEqual(pushes.flat().sort());
          // What one producer pushed keeps its order for each consumer.
          for (const mine of got)
            for (const items of pushes) {
              const own = mine.filter((item) => (items as readonly number[]).includes(item));
              expect(own).toEqual([...own].sort());
            }
        };
        return { memory: [words, turns, store.numbers], programs, check };
      },
    });
  });
});

describe('SpscRing, all interleavings', () => {
  it('keeps order over a full and an empty ring', () => {
    run({
      maxPreemptions: 2,
      make(world) {
        const words = wordsOf(7);
        const store = numbersOf(2);
        const producing = turnsOf(new world.code.SpscWords(words, 2, store, 1)).pushing;
        const consuming = turnsOf(new world.code.SpscWords(words, 2, store, 2)).popping;
        const got: number[] = [];
        const producer = function* (): Steps<void> {
          for (const item of [1, 2, 3]) yield* world.code.blockUntil(producing, item, Infinity);
        };
        const consumer = function* (): Steps<void> {
          for (let k = 0; k < 3; k += 1)
            got.push(yield* world.code.blockUntil(consuming, undefined, Infinity));
        };
        const check = () => expect(got).toEqual([1, 2, 3]);
        return { memory: [words, store.numbers], programs: [producer(), consumer()], check };
      },
    });
  });
});

describe('SeqLock, all interleavings', () => {
  it('never reads a mix of two writes, also where a writer is terminated anywhere', () => {
    run({
      mortal: [0],
      maxPreemptions: 2,
      make(world) {
        const words = wordsOf(2);
        const record = new Int32Array(2);
        const [first, second] = [1, 2].map((me) => new world.code.SeqWords(words, record, me));
        const writer = function* (): Steps<void> {
          for (const value of [1, 2]) yield* first.write(new Int32Array([value, value]));
        };
        const reader = function* (): Steps<void> {
          for (let k = 0; k < 3; k += 1) {
            const copy = new Int32Array(2);
            if (yield* second.read(copy)) expect(copy[0]).toBe(copy[1]);
          }
        };
        const heir = function* (): Steps<void> {
          yield* world.until(() => world.isOver(0));
          yield* second.abandon(1);
          expect(yield* second.write(new Int32Array([9, 9]))).toBe(true);
          const copy = new Int32Array(2);
          expect(yield* second.read(copy)).toBe(true);
          expect([...copy]).toEqual([9, 9]);
        };
        return { memory: [words, record], programs: [writer(), reader(), heir()], check: () => undefined };
      },
    });
  });
});

describe('Barrier, all interleavings', () => {
  it('lets nobody into a phase that others have not reached, phase after phase', () => {
    run({
      make(world) {
        const words = wordsOf(2);
        const barrier = new world.code.BarrierWords(words, 2);
        const phases = [0, 0];
        let leaders = 0;
        const party = function* (me: number): Steps<void> {
          for (let phase = 1; phase <= 2; phase += 1) {
            const arrived = yield* barrier.arrive();
            if (arrived === undefined) leaders += 1;
            else expect(yield* world.code.blockUntil(barrier, arrived, Infinity)).toBe('passed');
            phases[me] = phase;
            expect(phases[1 - me]).toBeGreaterThanOrEqual(phase - 1);
          }
        };
        return { memory: [words], programs: [party(0), party(1)], check: () => expect(leaders).toBe(2) };
      },
    });
  });

  it('breaks for all or ends for all', () => {
    run({
      make(world) {
        const words = wordsOf(2);
        const barrier = new world.code.BarrierWords(words, 2);
        const results: string[] = [];
        const party = function* (): Steps<void> {
          const arrived = yield* barrier.arrive();
          results.push(
            arrived === undefined ? 'passed' : yield* world.code.blockUntil(barrier, arrived, Infinity),
          );
        };
        const breaker = function* (): Steps<void> {
          yield* barrier.breakUp(0);
        };
        return {
          memory: [words],
          programs: [party(), party(), breaker()],
          check: () => expect(new Set(results).size).toBe(1),
        };
      },
    });
  });
});

import { describe, expect, it } from 'vitest';
import { ORPHAN, THREADS } from '../../../../dist/memory/shared-pool/control-block.js';
import { explore, type Scenario, type World } from './interleavings.js';

const NONE = -1;

/** Slots that are free by their word; a fresh look by party `by` must then find exactly these. */
function freeSlots({ block }: World): number {
  return block.states.subarray(0, block.slots).filter((word) => (word & 0xff) === 0).length;
}
function allFindable(world: World, by: number): void {
  const free = freeSlots(world);
  let found = 0;
  while (world.now(world.take(by)) !== NONE) found += 1;
  expect(found).toBe(free);
}
const run = (scenario: Scenario) => {
  const { ends, states } = explore(scenario);
  // A scenario that does not branch checks nothing.
  expect(ends).toBeGreaterThan(1);
  expect(states).toBeGreaterThan(50);
};

// Where a scenario has no bound, every interleaving is run; otherwise every one with so many preemptions at most, which is
// what fits in a unit test (a preemption is a switch away from a thread that could go on).
describe('SharedSlots, all interleavings', () => {
  it('hands no slot out twice, and never refuses while one is free', () => {
    const program = (party: number) =>
      function* (world: World) {
        for (let k = 0; k < 2; k += 1) {
          const handle = yield* world.take(party);
          if (handle === NONE) throw new Error('refused, although one of two slots was always free');
          yield* world.give(party, handle);
        }
      };
    run({
      slots: 2,
      threads: 2,
      programs: [program(0), program(1)],
      maxPreemptions: 2,
      check: (world) => {
        expect(freeSlots(world)).toBe(2);
        allFindable(world, 0);
      },
    });
  });

  it('lets one of two releases of a handle succeed', () => {
    const program = (party: number) =>
      function* (world: World) {
        const [handle] = world.parties[0]!.log as number[];
        world.parties[party]!.log.push(yield* world.give(party, handle!));
        yield* world.take(party);
      };
    run({
      slots: 2,
      threads: 2,
      setup: (world) => world.parties[0]!.log.push(world.now(world.take(0))),
      programs: [program(0), program(1)],
      check: (world) => {
        const results = world.parties.flatMap(({ log }) => log.filter((entry) => typeof entry === 'boolean'));
        expect(results.filter(Boolean)).toHaveLength(1);
        expect(freeSlots(world)).toBe(0);
      },
    });
  });

  it('brings slots that others released back to where they came from, or to a thief', () => {
    run({
      slots: 2,
      threads: 2,
      setup: (world) => {
        for (let k = 0; k < 2; k += 1) world.parties[0]!.log.push(world.now(world.take(0)));
      },
      programs: [
        function* (world) {
          const handle = yield* world.take(0);
          if (handle !== NONE) yield* world.give(0, handle);
          yield* world.take(0);
        },
        function* (world) {
          for (const handle of [...world.parties[0]!.log] as number[]) yield* world.give(1, handle);
          yield* world.take(1);
        },
      ],
      maxPreemptions: 2,
      check: (world) => {
        expect(freeSlots(world)).toBe(2 - world.parties[0]!.held.size - world.parties[1]!.held.size);
        expect(world.parties[1]!.held.size).toBe(1);
        allFindable(world, 0);
      },
    });
  });

  const waiter = (party: number) =>
    function* (world: World) {
      for (;;) {
        const handle = yield* world.take(party);
        if (handle !== NONE) return;
        if (yield* world.parties[party]!.slots.isClosed()) return;
        const word = yield* world.parties[party]!.slots.wordToWaitOn();
        if (word !== undefined) yield* world.sleep(party, word);
      }
    };

  it('wakes whoever waits when a slot is released', () => {
    run({
      slots: 1,
      threads: 2,
      setup: (world) => world.parties[0]!.log.push(world.now(world.take(0))),
      programs: [
        function* (world) {
          yield* world.give(0, world.parties[0]!.log[0] as number);
        },
        waiter(1),
      ],
      check: (world) => expect(world.parties[1]!.held.size).toBe(1),
    });
  });

  it('wakes two waiters one after the other', () => {
    const once = (party: number) =>
      function* (world: World) {
        yield* waiter(party)(world);
        yield* world.give(party, [...world.parties[party]!.held][0]!);
      };
    run({
      slots: 1,
      threads: 3,
      setup: (world) => world.parties[0]!.log.push(world.now(world.take(0))),
      programs: [
        function* (world) {
          yield* world.give(0, world.parties[0]!.log[0] as number);
        },
        once(1),
        once(2),
      ],
      maxPreemptions: 1,
      check: (world) => allFindable(world, 0),
    });
  });

  it('reclaims what a thread held, wherever it is terminated, and wakes whoever waits', () => {
    run({
      slots: 2,
      threads: 3,
      setup: (world) => {
        for (let k = 0; k < 2; k += 1) world.parties[0]!.log.push(world.now(world.take(0)));
      },
      programs: [
        // Terminated in the middle of releases and of an acquire…
        function* (world) {
          for (const handle of world.parties[0]!.log as number[]) yield* world.give(0, handle);
          yield* world.take(0);
        },
        // …while another thread waits for a slot,
        waiter(1),
        // …and the parent, which has seen it end.
        function* (world) {
          yield* world.until(() => world.isOver(0));
          world.parties[0]!.held.clear();
          yield* world.parties[2]!.slots.reclaim(100);
        },
      ],
      mortal: [0],
      maxPreemptions: 1,
      check: (world) => {
        expect(world.parties[1]!.held.size).toBe(1);
        expect(freeSlots(world)).toBe(1);
        expect(world.block.control[THREADS + 1]).toBe(0);
        allFindable(world, 2);
      },
    });
  });

  it('finishes the reclaim of a thread that died while it reclaimed', () => {
    run({
      slots: 2,
      threads: 3,
      setup: (world) => {
        world.now(world.take(0));
        world.now(world.take(1));
        for (const { held } of world.parties) held.clear();
      },
      programs: [
        function* () {
          // Died before, with a slot.
        },
        function* (world) {
          yield* world.parties[1]!.slots.reclaim(100);
          yield* world.until(() => false);
        },
        function* (world) {
          yield* world.until(() => world.isDead(1));
          yield* world.parties[2]!.slots.reclaim(101);
          yield* world.parties[2]!.slots.reclaim(100);
        },
      ],
      mortal: [1],
      check: (world) => {
        expect(freeSlots(world)).toBe(2);
        expect([1, 2].map((place) => world.block.control[THREADS + place])).toEqual([0, 0]);
        allFindable(world, 2);
      },
    });
  });

  it('reclaims once where two threads do, also when the place goes to a new thread at once', () => {
    const reclaimer = (party: number) =>
      function* (world: World) {
        world.parties[party]!.log.push(yield* world.parties[party]!.slots.reclaim(100));
      };
    run({
      slots: 2,
      threads: 4,
      late: [3],
      setup: (world) => {
        world.now(world.take(0));
        world.parties[0]!.held.clear();
      },
      programs: [
        function* () {
          // Died before, with a slot.
        },
        reclaimer(1),
        reclaimer(2),
        function* (world) {
          yield* world.until(() => world.block.control[THREADS + 1] === 0);
          yield* world.parties[3]!.slots.attach();
          yield* world.take(3);
        },
      ],
      maxPreemptions: 2,
      check: (world) => {
        expect(world.parties[1]!.log.concat(world.parties[2]!.log).sort()).toEqual([0, 1]);
        const { slots, held, log } = world.parties[3]!;
        expect([slots.place, held.size, log.length]).toEqual([1, 1, 0]);
        for (const handle of held) expect(world.now(slots.holds(handle))).toBe(true);
        expect(freeSlots(world)).toBe(1);
      },
    });
  });

  it('keeps slots in use when their thread detaches, and those that another adopts', () => {
    run({
      slots: 2,
      threads: 2,
      setup: (world) => {
        for (let k = 0; k < 2; k += 1) world.parties[0]!.log.push(world.now(world.take(0)));
      },
      programs: [
        function* (world) {
          yield* world.parties[0]!.slots.detach();
        },
        function* (world) {
          const [first, second] = world.parties[0]!.log as number[];
          world.parties[1]!.log.push(yield* world.parties[1]!.slots.adopt(first!));
          world.parties[1]!.log.push(yield* world.give(1, second!));
        },
      ],
      check: (world) => {
        expect(world.parties[1]!.log).toEqual([true, true]);
        expect(freeSlots(world)).toBe(1);
        const [word] = world.block.states.filter((state) => state !== -1 && (state & 0xff) !== 0);
        expect([world.parties[1]!.slots.place, ORPHAN]).toContain(word! & 0xff);
        expect(world.block.control[THREADS + 1]).toBe(0);
        allFindable(world, 1);
      },
    });
  });

  it('reclaims after a detach that was cut short', () => {
    run({
      slots: 2,
      threads: 2,
      setup: (world) => {
        world.now(world.take(0));
        world.parties[0]!.held.clear();
      },
      programs: [
        function* (world) {
          yield* world.parties[0]!.slots.detach();
          yield* world.until(() => false);
        },
        function* (world) {
          yield* world.take(1);
          yield* world.until(() => world.isDead(0));
          yield* world.parties[1]!.slots.reclaim(100);
        },
      ],
      mortal: [0],
      maxPreemptions: 2,
      check: (world) => {
        expect(world.block.control[THREADS + 1]).toBe(0);
        // Free, or an orphan: nobody's who is gone.
        for (const word of world.block.states.subarray(0, 2)) expect([0, 2, ORPHAN]).toContain(word & 0xff);
        allFindable(world, 1);
      },
    });
  });

  it('adopts or reclaims, never both', () => {
    run({
      slots: 1,
      threads: 3,
      setup: (world) => {
        world.parties[0]!.log.push(world.now(world.take(0)));
        world.parties[0]!.held.clear();
      },
      programs: [
        function* () {
          // Dead.
        },
        function* (world) {
          const [handle] = world.parties[0]!.log as number[];
          const mine = yield* world.parties[1]!.slots.adopt(handle!);
          world.parties[1]!.log.push(mine);
          if (mine) world.parties[1]!.held.add(handle!);
        },
        function* (world) {
          world.parties[2]!.log.push(yield* world.parties[2]!.slots.reclaim(100));
          yield* world.take(2);
        },
      ],
      check: (world) => {
        const [adopted] = world.parties[1]!.log;
        const [freed] = world.parties[2]!.log;
        expect(freed).toBe(adopted ? 0 : 1);
        expect(world.parties[2]!.held.size).toBe(adopted ? 0 : 1);
      },
    });
  });

  it('closes under the hands of threads that work and wait', () => {
    run({
      slots: 1,
      threads: 3,
      setup: (world) => world.parties[0]!.log.push(world.now(world.take(0))),
      programs: [
        function* (world) {
          yield* world.give(0, world.parties[0]!.log[0] as number);
        },
        waiter(1),
        function* (world) {
          yield* world.parties[2]!.slots.close();
        },
      ],
      maxPreemptions: 2,
      check: (world) => {
        for (const { slots, held } of world.parties) {
          expect(world.now(slots.take())).toBe(NONE);
          for (const handle of held) expect(world.now(slots.holds(handle))).toBe(false);
        }
      },
    });
  });
});

/**
 * Model check of the protocols between a pool and a worker: every interleaving of their atomic steps, on a small model
 * with the steps and the order of transport/lane-memory.ts, mailbox.ts and loop-control.ts in src/threads. Each model is
 * also run with its steps in a wrong order, which the check has to find: a check that cannot fail shows nothing.
 */
import { describe, expect, it } from 'vitest';

type State = Record<string, number>;
/** One atomic step of a thread at a program counter: the next counter, or undefined where it cannot go on now. */
type Step = (state: State) => number | undefined;
type Program = readonly Step[];

const END = -1;

interface Verdict {
  readonly states: number;
  readonly violations: readonly string[];
}

/**
 * Visits every state that the programs can reach, in every order of their steps. A state in which nobody can go on
 * although not all have ended is a lost wake-up.
 */
function explore(
  programs: readonly Program[],
  initial: State,
  invariant: (state: State) => string | undefined,
): Verdict {
  const seen = new Set<string>();
  const violations = new Set<string>();
  const stack: { counters: number[]; state: State }[] = [
    { counters: programs.map(() => 0), state: { ...initial } },
  ];
  while (stack.length > 0) {
    const { counters, state } = stack.pop()!;
    const key = JSON.stringify([counters, state]);
    if (seen.has(key)) continue;
    seen.add(key);
    const broken = invariant(state);
    if (broken !== undefined) {
      violations.add(broken);
      continue;
    }
    let moved = false;
    programs.forEach((program, index) => {
      const counter = counters[index]!;
      if (counter === END) return;
      const next = { ...state };
      const after = program[counter]!(next);
      if (after === undefined) return;
      moved = true;
      stack.push({ counters: counters.with(index, after), state: next });
    });
    if (!moved && counters.some((counter) => counter !== END)) {
      violations.add(`stuck at ${counters.join(',')}`);
    }
  }
  return { states: seen.size, violations: [...violations] };
}

describe('waking a worker', () => {
  // The pool hands over two tasks and rings for each; the worker takes them and sleeps where there is none.
  const pool = (bellFirst: boolean): Program => {
    const ring = (at: number): Step[] => {
      const bell: Step = (s) => {
        s['bell']! += 1;
        return at + 1;
      };
      const notify: Step = (s) => {
        if (s['asleep'] === 1) s['waiting'] = 0;
        return at + 2;
      };
      return bellFirst
        ? [bell, notify]
        : [notify, bell].map((step, n) => (s) => {
            step(s);
            return at + n + 1;
          });
    };
    const submit =
      (at: number): Step =>
      (s) => {
        s['submitted']! += 1;
        return at + 1;
      };
    const steps = [submit(0), ...ring(1), submit(3), ...ring(4)];
    return [...steps, () => END];
  };
  const worker = (bellReadFirst: boolean): Program => [
    // 0: read the bell before looking for work (or, wrongly, just before sleeping)
    (s) => {
      if (bellReadFirst) s['rings'] = s['bell']!;
      return 1;
    },
    // 1: take everything
    (s) => {
      if (s['taken']! < s['submitted']!) {
        s['taken']! += 1;
        return s['taken'] === 2 ? END : 1;
      }
      return 2;
    },
    (s) => {
      s['asleep'] = 1;
      return 3;
    },
    // 3: Atomics.wait compares and begins to wait in one step
    (s) => {
      if (!bellReadFirst) s['rings'] = s['bell']!;
      if (s['bell'] !== s['rings']) return 5;
      s['waiting'] = 1;
      return 4;
    },
    // 4: notified
    (s) => (s['waiting'] === 0 ? 5 : undefined),
    (s) => {
      s['asleep'] = 0;
      return 0;
    },
  ];
  const initial = { submitted: 0, taken: 0, bell: 0, rings: 0, asleep: 0, waiting: 0 };

  it('never misses a ring', () => {
    const { states, violations } = explore([pool(true), worker(true)], initial, () => undefined);
    expect(violations).toEqual([]);
    expect(states).toBeGreaterThan(50);
  });

  it.each([
    ['the pool looked for a sleeper before it rang', false, true],
    ['the worker read the bell after looking for work', true, false],
  ])('would, where %s', (_, bellFirst, bellReadFirst) => {
    const { violations } = explore([pool(bellFirst), worker(bellReadFirst)], initial, () => undefined);
    expect(violations.some((violation) => violation.startsWith('stuck'))).toBe(true);
  });
});

describe('telling the pool of results', () => {
  // The worker returns two slots; the pool collects, and listens before it sleeps.
  const worker = (publishFirst: boolean): Program => {
    const finish = (at: number): Step[] => {
      const publish: Step = (s) => {
        s['returned']! += 1;
        return at + 1;
      };
      const tell: Step = (s) => {
        // Load and exchange; only the pool sets the word, so they may count as one step.
        if (s['listening'] === 1) {
          s['listening'] = 0;
          s['told'] = 1;
        }
        return at + 2;
      };
      return publishFirst ? [publish, tell] : [(s) => (tell(s), at + 1), (s) => (publish(s), at + 2)];
    };
    return [...finish(0), ...finish(2), () => END];
  };
  const pool = (looksAgain: boolean): Program => [
    // 0: collect
    (s) => {
      s['read'] = s['returned']!;
      return s['read'] === 2 ? END : 1;
    },
    (s) => {
      s['listening'] = 1;
      return 2;
    },
    // 2: came back in between?
    (s) => (looksAgain && s['read'] !== s['returned'] ? 0 : 3),
    // 3: sleep until told
    (s) => {
      if (s['told'] === 0) return undefined;
      s['told'] = 0;
      return 0;
    },
  ];
  const initial = { returned: 0, read: 0, listening: 0, told: 0 };

  it('never leaves one lying', () => {
    const { violations } = explore([worker(true), pool(true)], initial, () => undefined);
    expect(violations).toEqual([]);
  });

  it.each([
    ['the worker told before it returned', false, true],
    ['the pool slept without looking again', true, false],
  ])('would, where %s', (_, publishFirst, looksAgain) => {
    const { violations } = explore([worker(publishFirst), pool(looksAgain)], initial, () => undefined);
    expect(violations.some((violation) => violation.startsWith('stuck'))).toBe(true);
  });
});

describe('telling the pool of results by the batch', () => {
  // The pool hands over three tasks and sleeps until it is told; the worker tells from two results on, or where it has
  // nothing left to do. Each program counter is one access to shared memory.
  const TASKS = 3;
  const worker = (tellsAtTheEnd: boolean): Program => [
    (s) => {
      if (s['taken'] === TASKS) return END;
      if (s['taken'] === s['submitted']) return undefined;
      s['taken']! += 1;
      return 1;
    },
    (s) => {
      s['returned']! += 1;
      return 2;
    },
    (s) => (s['listening'] === 1 ? 3 : 0),
    (s) => {
      s['missing'] = s['tellAt']! - s['returned']!;
      return s['missing'] > 0 ? 4 : 5;
    },
    // More to do: whoever has it is asked again.
    (s) => (s['taken'] === s['submitted'] && tellsAtTheEnd ? 5 : 0),
    (s) => {
      if (s['listening'] === 1) s['told'] = 1;
      s['listening'] = 0;
      return 0;
    },
  ];
  /** @param looks how many results have to be there for the pool not to sleep: as many as it waits for, or all */
  const pool = (looks: (state: State, count: number) => boolean): Program => [
    (s) => {
      s['submitted']! += 1;
      return s['submitted']! < TASKS ? 0 : 1;
    },
    // 1: collect
    (s) => {
      s['read'] = s['returned']!;
      return s['read'] === TASKS ? END : 2;
    },
    (s) => {
      s['tellAt'] = s['read']! + 2;
      return 3;
    },
    (s) => {
      s['listening'] = 1;
      return 4;
    },
    // 4: came back in between?
    (s) => (looks(s, 2) ? 1 : 5),
    (s) => {
      if (s['told'] === 0) return undefined;
      s['told'] = 0;
      return 1;
    },
  ];
  const initial = {
    submitted: 0,
    taken: 0,
    returned: 0,
    read: 0,
    listening: 0,
    tellAt: 0,
    missing: 0,
    told: 0,
  };
  const asBuilt = (s: State, count: number) =>
    s['returned']! - s['read']! >= Math.min(count, TASKS - s['read']!);

  it('never leaves one lying', () => {
    const { states, violations } = explore([worker(true), pool(asBuilt)], initial, () => undefined);
    expect(violations).toEqual([]);
    expect(states).toBeGreaterThan(50);
  });

  it.each([
    ['the worker told only of full batches', false, asBuilt],
    [
      'the pool looked again for full batches only',
      true,
      (s: State, count: number) => s['returned']! - s['read']! >= count,
    ],
  ])('would, where %s', (_, tellsAtTheEnd, looks) => {
    const { violations } = explore([worker(tellsAtTheEnd), pool(looks)], initial, () => undefined);
    expect(violations.some((violation) => violation.startsWith('stuck'))).toBe(true);
  });
});

describe('the end of a loop', () => {
  // A worker finishes the last unit; the caller, which took part, waits for a message where it did not see that.
  const worker = (countsFirst: boolean): Program => {
    const count: Step = (s) => {
      s['done'] = 1;
      return 0;
    };
    const tell: Step = (s) => {
      if (s['awaited'] === 1) s['told'] = 1;
      return 0;
    };
    const steps = countsFirst ? [count, tell] : [tell, count];
    return [...steps.map((step, n) => (s: State) => (step(s), n + 1)), () => END];
  };
  const caller = (looksAgain: boolean): Program => [
    (s) => (s['done'] === 1 ? END : 1),
    (s) => {
      s['awaited'] = 1;
      return 2;
    },
    (s) => (looksAgain && s['done'] === 1 ? END : 3),
    (s) => (s['told'] === 1 ? END : undefined),
  ];
  const initial = { done: 0, awaited: 0, told: 0 };

  it('is never missed', () => {
    const { violations } = explore([worker(true), caller(true)], initial, () => undefined);
    expect(violations).toEqual([]);
  });

  it.each([
    ['the worker looked whether it is awaited before it counted', false, true],
    ['the caller did not look again', true, false],
  ])('would be, where %s', (_, countsFirst, looksAgain) => {
    const { violations } = explore([worker(countsFirst), caller(looksAgain)], initial, () => undefined);
    expect(violations.some((violation) => violation.startsWith('stuck'))).toBe(true);
  });
});

describe('slots', () => {
  const QUEUED = 1;
  const STARTED = 2;
  const FINISHED = 3;
  const WITHDRAWN = 4;
  // One slot is used twice: handed over, taken back or not, given back, handed over again. The worker may die anywhere.
  const pool = (reusesAtOnce: boolean): Program => [
    (s) => {
      s['state'] = QUEUED;
      s['in']! += 1;
      s['handed']! += 1;
      return 1;
    },
    // Take it back, where that comes before the worker's claim.
    (s) => {
      if (s['state'] !== QUEUED) return 2;
      s['state'] = WITHDRAWN;
      s['takenBack']! += 1;
      return reusesAtOnce ? 3 : 2;
    },
    // The slot is free only when it came back through the ring, or its worker is dead.
    (s) => {
      if (s['out']! > s['collected']!) {
        s['collected']! += 1;
        if (s['state'] === QUEUED || s['state'] === STARTED) s['premature'] = 1;
        if (s['state'] === FINISHED) s['results']! += 1;
        return s['handed'] === 2 ? END : 3;
      }
      if (s['dead'] !== 1) return undefined;
      // What had started is rejected, what had not goes elsewhere.
      if (s['state'] === STARTED) s['rejected']! += 1;
      else if (s['state'] === QUEUED) s['takenBack']! += 1;
      return END;
    },
    (s) => {
      if (s['handed'] === 2) return END;
      s['state'] = QUEUED;
      s['in']! += 1;
      s['handed']! += 1;
      return 1;
    },
  ];
  const worker: Program = [
    (s) => {
      if (s['took'] === s['in']) return undefined;
      s['took']! += 1;
      return 1;
    },
    (s) => {
      // Compare and swap.
      if (s['state'] !== QUEUED) {
        s['out']! += 1;
        return s['took'] === 2 ? END : 0;
      }
      s['state'] = STARTED;
      s['ran']! += 1;
      return 2;
    },
    (s) => {
      s['state'] = FINISHED;
      return 3;
    },
    (s) => {
      s['out']! += 1;
      return s['took'] === 2 ? END : 0;
    },
  ];
  const initial = {
    state: 0,
    in: 0,
    out: 0,
    took: 0,
    handed: 0,
    collected: 0,
    takenBack: 0,
    ran: 0,
    results: 0,
    rejected: 0,
    dead: 0,
    premature: 0,
  };
  /** Every task that was handed over ran at most once, and ended at most one way. */
  const once = (s: State): string | undefined => {
    if (s['ran']! + s['takenBack']! > s['handed']!) return 'a task ran although it was taken back';
    if (s['results']! + s['rejected']! + s['takenBack']! > s['handed']!) return 'a task ended twice';
    if (s['premature'] === 1) return 'a slot came back while its task was not through';
    return undefined;
  };

  it('settle each task one way, whoever is faster', () => {
    const { states, violations } = explore([pool(false), worker], initial, once);
    expect(violations).toEqual([]);
    expect(states).toBeGreaterThan(20);
  });

  it('settle each task one way where the worker dies anywhere', () => {
    const mortal = worker.map(
      (step): Step =>
        (s) =>
          s['dead'] === 1 ? END : step(s),
    );
    const death: Program = [
      (s) => {
        s['dead'] = 1;
        return END;
      },
    ];
    const { violations } = explore([pool(false), mortal, death], initial, once);
    // The pool's view of a death is final: a worker stands still before its slots are read.
    expect(violations).toEqual([]);
  });

  it('would lose count, where a slot were used again before it came back', () => {
    const { violations } = explore([pool(true), worker], initial, once);
    expect(violations).not.toEqual([]);
  });
});

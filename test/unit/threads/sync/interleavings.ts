/**
 * Runs every interleaving of a few small programs over the steppable primitives, one access to shared memory at a time,
 * with sleepers that wake only when they are notified. A mortal program may also be terminated before any access.
 *
 * Method: depth-first by replay (generators cannot be copied), cut where a state was seen before: the shared words, who
 * sleeps where, and what each program's accesses returned so far, which decides what it does next.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as block from '../../../../dist/threads/sync/shared-block.js';
import { rewriteForSteps, type Steps } from '../../../fixtures/step-rewriting.js';

const SOURCES = [
  'waiting',
  'event-count',
  'mutex',
  'condition',
  'semaphore',
  'mpmc-queue',
  'spsc-ring',
  'seqlock',
  'barrier',
];
const CLASSES = [
  'EventCount',
  'LockWord',
  'ConditionWord',
  'PermitWord',
  'MpmcWords',
  'SpscWords',
  'SeqWords',
  'BarrierWords',
];
/** Constants of one file each: a file's constants may have the names of another's, so they stay in a scope of their own. */
const CONSTANTS = [
  'LOCKED',
  'LOCKED_ABANDONED',
  'FREE',
  'SLEEPERS',
  'ABANDONED',
  'HOLDER_SHIFT',
  'NEVER',
  'EVENT',
  'WAITERS',
  'TAIL',
  'HEAD',
  'PUSHED',
  'POP_WAITERS',
  'POPPED',
  'PUSH_WAITERS',
  'PRODUCER',
  'CONSUMER',
  'VERSION',
  'WRITER',
  'PHASE',
  'ARRIVED',
  'BROKEN',
  'LOOK_AGAIN_MS',
];

/** The rewritten classes; every method is a generator. */
export interface Stepped {
  blockUntil(turn: any, argument: any, timeoutMs: number): Steps<any>;
  readonly [name: string]: any;
}

interface Hooks {
  observe<T>(value: T): T;
  notify(words: Int32Array, index: number, count?: number): number;
  wait(words: Int32Array, index: number, expected: number): Steps<string>;
}

const texts = SOURCES.map((name) => {
  const url = new URL(`../../../../dist/threads/sync/${name}.js`, import.meta.url);
  return rewriteForSteps([readFileSync(url, 'utf8')], {
    shared: ['numbers'],
    plainWrites: true,
    keep: ['blockUntil', ...CLASSES, ...CONSTANTS],
    minAccesses: 1,
    alsoSteppable: ['enterWait', 'leaveWait', 'ticket', 'attempt', 'signal', 'wakeAll'],
  });
});

let hooks: Hooks;

function load(): Stepped {
  const names = Object.keys(block);
  const given = ['$observe', '$notify', '$wait', 'performance', 'fail', ...names];
  const values = [
    (value: unknown) => hooks.observe(value),
    (...args: [Int32Array, number, number?]) => hooks.notify(...args),
    (...args: [Int32Array, number, number]) => hooks.wait(...args),
    { now: () => 0 },
    (code: string) => new Error(code),
    ...Object.values(block),
  ];
  const all: Record<string, any> = {};
  for (const text of texts) {
    const own = ['blockUntil', ...CLASSES].filter((name) =>
      new RegExp(`(class|function\\*?) ${name}\\b`).test(text),
    );
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const make = new Function(...given, 'EventCount', `{ ${text}\nreturn { ${own.join(', ')} }; }`);
    Object.assign(all, make(...values, all.EventCount));
  }
  return all as Stepped;
}

const code = load();

export interface World {
  readonly code: Stepped;
  isDead(party: number): boolean;
  isOver(party: number): boolean;
  /** Blocks until the condition holds; for what the test knows, not the algorithm. */
  until(condition: () => boolean): Steps<void>;
  /** Runs steps to their end, outside of any interleaving. */
  now<T>(steps: Steps<T>): T;
}

export interface Parts {
  /** All shared memory: its content is part of the state. */
  readonly memory: readonly (Int32Array | Float64Array)[];
  readonly programs: readonly Steps<void>[];
  /** After each complete interleaving. */
  check(): void;
}

export interface Scenario {
  make(world: World): Parts;
  readonly mortal?: readonly number[];
  /** Switches away from a thread that could go on; unlimited where undefined. */
  readonly maxPreemptions?: number;
}

class Blocked {
  readonly isReady: () => boolean;

  constructor(isReady: () => boolean) {
    this.isReady = isReady;
  }
}
interface Sleeper {
  readonly party: number;
  readonly words: Int32Array;
  readonly index: number;
  isAwake: boolean;
}
type Choice = { readonly party: number; readonly kill: boolean };

/** A step of a schedule in one character: schedules that begin alike then share their beginning in memory. */
const letterOf = ({ party, kill }: Choice): string => String.fromCharCode(2 * party + Number(kill));
const choiceOf = (letter: string): Choice => {
  const code = letter.charCodeAt(0);
  return { party: code >> 1, kill: (code & 1) === 1 };
};

/**
 * States are kept as 128-bit digests (hash compaction, Wolper and Leroy 1993): two of ten million states share one, and
 * hide each other, with a chance of 10^-25.
 */
export function explore(scenario: Scenario): { ends: number; states: number } {
  const seen = new Set<string>();
  const pending = [''];
  let ends = 0;
  for (let prefix = pending.pop(); prefix !== undefined; prefix = pending.pop()) {
    let schedule = prefix;
    try {
      const run = new Run(scenario);
      for (const letter of prefix) run.step(choiceOf(letter));
      for (;;) {
        const choices = run.choices();
        if (choices.every(({ kill }) => kill) && run.isStuck()) throw new Error('a thread waits for ever');
        if (choices.length === 0) {
          ends += 1;
          run.parts.check();
          break;
        }
        const key = createHash('md5').update(run.key()).digest('base64');
        if (seen.has(key)) break;
        seen.add(key);
        for (const other of choices.slice(1)) pending.push(schedule + letterOf(other));
        schedule += letterOf(choices[0]!);
        run.step(choices[0]!);
      }
    } catch (error) {
      const steps = [...schedule]
        .map(choiceOf)
        .map(({ party, kill }) => (kill ? `kill ${party}` : `${party}`))
        .join(' ');
      throw new Error(`${(error as Error).message} (schedule: ${steps})`, { cause: error });
    }
  }
  return { ends, states: seen.size };
}

class Run {
  readonly parts: Parts;
  private readonly scenario: Scenario;
  private readonly blocked: (Blocked | undefined)[] = [];
  private readonly finished: boolean[] = [];
  private readonly dead: boolean[] = [];
  private readonly outcomes: unknown[][] = [];
  private readonly sleepers: Sleeper[] = [];
  private current = -1;
  private last = -1;
  private preemptions = 0;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    hooks = {
      observe: (value) => {
        if (this.current >= 0) this.outcomes[this.current]!.push(value);
        return value;
      },
      notify: (words, index, count = Infinity) => this.notify(words, index, count),
      wait: (words, index, expected) => this.sleep(words, index, expected),
    };
    this.parts = scenario.make({
      code,
      isDead: (party) => this.dead[party] === true,
      isOver: (party) => this.dead[party] === true || this.finished[party] === true,
      *until(condition) {
        while (!condition()) yield new Blocked(condition);
      },
      now: (steps) => {
        for (;;) {
          const { done, value } = steps.next();
          if (done) return value;
        }
      },
    });
    this.parts.programs.forEach((_, k) => {
      this.outcomes.push([]);
      this.finished.push(false);
      this.dead.push(false);
      this.advance(k);
    });
  }

  choices(): Choice[] {
    const choices: Choice[] = [];
    const limit = this.scenario.maxPreemptions ?? Infinity;
    const canGoOn = this.last >= 0 && this.isReady(this.last);
    for (let party = 0; party < this.parts.programs.length; party += 1) {
      const isPreemption = canGoOn && party !== this.last;
      if (this.isReady(party) && !(isPreemption && this.preemptions >= limit))
        choices.push({ party, kill: false });
      const isMortal = this.scenario.mortal?.includes(party) === true;
      if (isMortal && !this.finished[party] && !this.dead[party]) choices.push({ party, kill: true });
    }
    return choices;
  }

  step({ party, kill }: Choice): void {
    if (kill) {
      this.dead[party] = true;
      const at = this.sleepers.findIndex((sleeper) => sleeper.party === party);
      if (at >= 0) this.sleepers.splice(at, 1);
      return;
    }
    if (this.last >= 0 && this.last !== party && this.isReady(this.last)) this.preemptions += 1;
    this.last = party;
    this.advance(party);
  }

  /** Nobody can go on, and somebody is not through: being terminated does not count as going on. */
  isStuck(): boolean {
    const waits = this.parts.programs.some((_, k) => !this.finished[k] && !this.dead[k]);
    return waits && !this.parts.programs.some((_, k) => this.isReady(k));
  }

  key(): string {
    const bounded = this.scenario.maxPreemptions === undefined ? '' : `${this.preemptions}/${this.last}`;
    return [
      ...this.parts.memory.map((words) => words.join()),
      this.sleepers.map(({ party }) => party).join(),
      this.outcomes
        .map((list, k) => [this.finished[k], this.dead[k], this.isReady(k), ...list].join())
        .join('|'),
      bounded,
    ].join(';');
  }

  private isReady(party: number): boolean {
    if (this.finished[party] || this.dead[party]) return false;
    return this.blocked[party]?.isReady() ?? true;
  }

  private advance(party: number): void {
    this.current = party;
    this.blocked[party] = undefined;
    const { done, value } = this.parts.programs[party]!.next();
    this.current = -1;
    if (done) this.finished[party] = true;
    else if (value instanceof Blocked) this.blocked[party] = value;
    // Each turn counts, also one that saw nothing of shared memory.
    else this.outcomes[party]!.push('.');
  }

  private notify(words: Int32Array, index: number, count: number): number {
    let woken = 0;
    for (let k = 0; k < this.sleepers.length && woken < count;) {
      const sleeper = this.sleepers[k]!;
      if (sleeper.words === words && sleeper.index === index) {
        sleeper.isAwake = true;
        this.sleepers.splice(k, 1);
        woken += 1;
      } else k += 1;
    }
    return woken;
  }

  private *sleep(words: Int32Array, index: number, expected: number): Steps<string> {
    yield undefined;
    const party = this.current;
    if (words[index] !== expected) {
      this.outcomes[party]!.push('not-equal');
      return 'not-equal';
    }
    const sleeper: Sleeper = { party, words, index, isAwake: false };
    this.sleepers.push(sleeper);
    yield new Blocked(() => sleeper.isAwake);
    this.outcomes[party]!.push('ok');
    return 'ok';
  }
}

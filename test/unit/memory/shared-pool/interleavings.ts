/**
 * Runs every interleaving of a few small programs over the steppable algorithm, one access to shared memory at a time.
 *
 * Method: depth-first by replay (generators cannot be copied), cut where a state was seen before. What a thread does
 * next depends only on what it knew when its operation began and on what its accesses returned since, so these and the
 * shared words identify a state. A thread that is marked mortal may also be terminated before any of its accesses.
 */
import {
  createControlBlock,
  HUNGER,
  type ControlBlock,
} from '../../../../dist/memory/shared-pool/control-block.js';
import { Region } from '../../../../dist/memory/regions.js';
import { steppableSlots, type SteppableSlots, type Steps } from './steppable.js';

export interface Party {
  readonly slots: SteppableSlots;
  /** Handles that this thread's user has. */
  readonly held: Set<number>;
  readonly log: unknown[];
}

export interface World {
  readonly block: ControlBlock;
  readonly parties: Party[];
  isDead(party: number): boolean;
  /** Dead, or at the end of its program. */
  isOver(party: number): boolean;
  /** Takes a slot and checks that nobody else has it. */
  take(party: number): Steps<number>;
  give(party: number, handle: number): Steps<boolean>;
  /** Sleeps as `Atomics.wait` on the hunger word would, until it is notified. */
  sleep(party: number, word: number): Steps<void>;
  /** Blocks until the condition holds; to be used for what tests know, not the algorithm. */
  until(condition: () => boolean): Steps<void>;
  /** Runs steps to their end, outside of any interleaving. */
  now<T>(steps: Steps<T>): T;
}

export interface Scenario {
  readonly slots: number;
  readonly threads: number;
  /** Threads that are not attached beforehand; there is no place for them until one becomes free. */
  readonly late?: readonly number[];
  /** Beforehand, alone. */
  setup?(world: World): void;
  readonly programs: ((world: World) => Steps<void>)[];
  /** Programs that may be terminated anywhere. */
  readonly mortal?: readonly number[];
  /** After each complete interleaving. */
  check(world: World): void;
  /** Switches away from a thread that could go on; unlimited where undefined. */
  readonly maxPreemptions?: number;
}

class Blocked {
  readonly isReady: () => boolean;

  constructor(isReady: () => boolean) {
    this.isReady = isReady;
  }
}
type Choice = { readonly party: number; readonly kill: boolean };

/** The number of complete interleavings and of distinct states. Throws what `check` throws, with the schedule. */
export function explore(scenario: Scenario): { ends: number; states: number } {
  const seen = new Set<string>();
  const pending: Choice[][] = [[]];
  let ends = 0;
  for (let prefix = pending.pop(); prefix !== undefined; prefix = pending.pop()) {
    const schedule: Choice[] = [];
    try {
      const run = new Run(scenario);
      for (const choice of prefix) run.step(choice);
      schedule.push(...prefix);
      for (;;) {
        const choices = run.choices();
        if (choices.length === 0) {
          if (run.stuck()) throw new Error('a thread waits for ever');
          ends += 1;
          scenario.check(run.world);
          break;
        }
        const key = run.key();
        if (seen.has(key)) break;
        seen.add(key);
        for (const other of choices.slice(1)) pending.push([...schedule, other]);
        schedule.push(choices[0]!);
        run.step(choices[0]!);
      }
    } catch (error) {
      const steps = schedule.map(({ party, kill }) => (kill ? `kill ${party}` : `${party}`)).join(' ');
      throw new Error(`${(error as Error).message} (schedule: ${steps})`, { cause: error });
    }
  }
  return { ends, states: seen.size };
}

class Run {
  readonly world: World;
  private readonly scenario: Scenario;
  private readonly programs: Steps<void>[];
  private readonly blocked: (Blocked | undefined)[] = [];
  private readonly finished: boolean[] = [];
  private readonly dead: boolean[] = [];
  /** Since the thread's operation began: outcomes of its accesses, and how often it went on. */
  private readonly outcomes: unknown[][] = [];
  private readonly advances: number[] = [];
  private readonly operations: number[] = [];
  private current = -1;
  private last = -1;
  private preemptions = 0;
  private notifies = 0;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    const late = scenario.late ?? [];
    const block = freshBlock(scenario.slots, scenario.threads - late.length);
    const Slots = steppableSlots({
      observe: (value) => {
        if (this.current >= 0) this.outcomes[this.current]!.push(value);
        return value;
      },
      notify: () => {
        this.notifies += 1;
        return 0;
      },
    });
    const parties = Array.from({ length: scenario.threads }, (_, k) => ({
      slots: new Slots(block, 100 + k),
      held: new Set<number>(),
      log: [] as unknown[],
    }));
    this.world = this.makeWorld(block, parties);
    parties.forEach(({ slots }, k) => {
      if (!late.includes(k)) this.world.now(slots.attach());
    });
    scenario.setup?.(this.world);
    this.programs = scenario.programs.map((program) => program(this.world));
    this.programs.forEach((_, k) => {
      this.outcomes.push([]);
      this.blocked.push(undefined);
      this.finished.push(false);
      this.dead.push(false);
      this.advance(k);
    });
  }

  choices(): Choice[] {
    const choices: Choice[] = [];
    const limit = this.scenario.maxPreemptions ?? Infinity;
    const canGoOn = this.last >= 0 && this.isReady(this.last);
    for (let party = 0; party < this.programs.length; party += 1) {
      const isPreemption = canGoOn && party !== this.last;
      if (this.isReady(party) && !(isPreemption && this.preemptions >= limit)) {
        choices.push({ party, kill: false });
      }
      const isMortal = this.scenario.mortal?.includes(party) === true;
      if (isMortal && !this.finished[party] && !this.dead[party]) choices.push({ party, kill: true });
    }
    return choices;
  }

  step({ party, kill }: Choice): void {
    if (kill) {
      this.dead[party] = true;
      return;
    }
    if (this.last >= 0 && this.last !== party && this.isReady(this.last)) this.preemptions += 1;
    this.last = party;
    this.advance(party);
  }

  stuck(): boolean {
    return this.programs.some((_, k) => !this.finished[k] && !this.dead[k]);
  }

  key(): string {
    const { control, hints, states, slots } = this.world.block;
    const bounded = this.scenario.maxPreemptions === undefined ? '' : `${this.preemptions}/${this.last}`;
    return [
      control.join(),
      hints.filter((word) => word !== 0).join(),
      hints.findIndex((word) => word !== 0),
      states.subarray(0, slots).join(),
      this.outcomes
        .map((list, k) => [this.finished[k], this.dead[k], this.isReady(k), this.advances[k], ...list].join())
        .join('|'),
      bounded,
    ].join(';');
  }

  private isReady(party: number): boolean {
    if (this.finished[party] || this.dead[party]) return false;
    return this.blocked[party]?.isReady() ?? true;
  }

  /** An operation begins: what the thread knows stands in its fields now, and its earlier accesses matter no more. */
  private begin(party: number): void {
    if (this.current !== party) return;
    const { slots, held, log } = this.world.parties[party]!;
    this.operations[party] = (this.operations[party] ?? 0) + 1;
    const fields = JSON.stringify(Object.entries(slots).filter(([, value]) => typeof value === 'number'));
    const { magazine, cached } = slots as unknown as { magazine: Int32Array; cached: number };
    const magazineNow = magazine.subarray(0, cached).join();
    this.outcomes[party] = [this.operations[party], fields, magazineNow, [...held].join(), log.join()];
    this.advances[party] = 0;
  }

  /** Runs a program to just before its next access. */
  private advance(party: number): void {
    this.current = party;
    this.advances[party] = (this.advances[party] ?? 0) + 1;
    this.blocked[party] = undefined;
    const { done, value } = this.programs[party]!.next();
    this.current = -1;
    if (done) this.finished[party] = true;
    else if (value instanceof Blocked) this.blocked[party] = value;
  }

  private makeWorld(block: ControlBlock, parties: Party[]): World {
    const begin = (party: number) => this.begin(party);
    const others = (party: number) => parties.filter((_, k) => k !== party && !this.dead[k]);
    const slotOf = (handle: number) => handle & ((1 << block.slotBits) - 1);
    const world: World = {
      block,
      parties,
      isDead: (party) => this.dead[party] === true,
      isOver: (party) => this.dead[party] === true || this.finished[party] === true,
      *take(party) {
        begin(party);
        const handle = yield* parties[party]!.slots.take();
        if (handle < 0) return handle;
        for (const { held } of others(party)) {
          for (const other of held) {
            if (slotOf(other) === slotOf(handle)) throw new Error(`slot ${slotOf(handle)} handed out twice`);
          }
        }
        parties[party]!.held.add(handle);
        return handle;
      },
      *give(party, handle) {
        // It is the caller's until the call; from then on the pool may hand it to somebody.
        for (const { held } of parties) held.delete(handle);
        begin(party);
        return yield* parties[party]!.slots.give(handle);
      },
      sleep: (_party, word) => this.sleep(word),
      *until(condition) {
        while (!condition()) yield new Blocked(condition);
      },
      now: (steps) => {
        for (;;) {
          const { done, value } = steps.next();
          if (done) return value;
        }
      },
    };
    return world;
  }

  private *sleep(word: number): Steps<void> {
    yield undefined;
    const { control } = this.world.block;
    if (control[HUNGER] !== word) return;
    const before = this.notifies;
    yield new Blocked(() => this.notifies > before);
  }
}

function freshBlock(slots: number, maxThreads: number): ControlBlock {
  const region = new Region({ sizeBytes: 65_536, alignment: 128, shared: true });
  return createControlBlock(region, { slots, slotBytes: 8, strideBytes: 8, maxThreads, dataOffsetBytes: 0 });
}

/** How the measuring time is spread over the races of all sizes. */
import type { Race } from './race.js';
import type { Random } from './random.js';

export type SearchStrategy = 'successive_halving' | 'grid' | 'random';

/** Rounds before the first look: enough for a deviation to mean something. */
const FIRST_RUNG = 8;
/** Rounds after which what cost several times as much in each is out; fewer, and one disturbance can fill them. */
const HOPELESS_ROUNDS = 3;
/** Rounds before a race may be given up as a tie. */
const FUTILE_FROM = 32;
/** Rounds of one draw of the random search. */
const RANDOM_ROUNDS = 4;

export interface SearchOptions {
  readonly strategy: SearchStrategy;
  readonly budgetMs: number;
  /** Draws sizes. */
  readonly random: Random;
  /** Milliseconds; `performance.now`, or the clock of a simulation. */
  readonly now: () => number;
  readonly progress: (fraction: number, raceIndex: number) => void;
}

/**
 * Runs races until they are decided or the budget is spent. Every race gets at least one round.
 *
 * - `successive_halving`: rungs of 8, 12, 18, 27… rounds; after each, what is slower is out (Jamieson & Talwalkar
 *   2016, with a smaller step). Time that a decided race leaves over goes to the races after it.
 * - `grid`: every variant on every size gets an equal share, nothing is taken out.
 * - `random`: sizes drawn at random, nothing is taken out; for many sizes and little time.
 */
export async function search(races: readonly Race[], options: SearchOptions): Promise<void> {
  const { now } = options;
  const startMs = now();
  const endMs = startMs + options.budgetMs;
  if (options.strategy === 'random') {
    await searchAtRandom(races, startMs, endMs, options);
    return;
  }
  for (const [i, race] of races.entries()) {
    options.progress(i / races.length, i);
    const beganMs = now();
    const untilMs = beganMs + Math.max(0, endMs - beganMs) / (races.length - i);
    if (options.strategy === 'grid') await runFully(race, untilMs, now);
    else await halve(race, untilMs, now);
  }
}

async function halve(race: Race, untilMs: number, now: () => number): Promise<void> {
  await race.run(HOPELESS_ROUNDS, untilMs);
  race.eliminateHopeless();
  for (let rung = FIRST_RUNG; !race.isDecided(); rung = Math.ceil(rung * 1.5)) {
    await race.run(Math.min(rung, race.fullRounds) - race.rounds, untilMs);
    const isLast = race.rounds >= race.fullRounds || now() >= untilMs;
    race.eliminate(!isLast);
    // What would stay a tie to the end is one now; the time is worth more elsewhere.
    if (isLast || (race.rounds >= FUTILE_FROM && race.isFutile(race.fullRounds))) return;
  }
}

async function runFully(race: Race, untilMs: number, now: () => number): Promise<void> {
  // How many rounds that is shows once there are some.
  await race.run(FIRST_RUNG, untilMs);
  if (now() < untilMs) await race.run(race.fullRounds - race.rounds, untilMs);
}

async function searchAtRandom(
  races: readonly Race[],
  startMs: number,
  endMs: number,
  { budgetMs, progress, random, now }: SearchOptions,
): Promise<void> {
  for (const race of races) await race.run(1, endMs);
  for (;;) {
    const open = races.filter((race) => !race.isOver && race.rounds < race.fullRounds);
    const atMs = now();
    if (open.length === 0 || atMs >= endMs) return;
    const race = open[Math.floor(random() * open.length)]!;
    progress(Math.min(1, (atMs - startMs) / budgetMs), races.indexOf(race));
    await race.run(RANDOM_ROUNDS, endMs);
  }
}

/** What `keepLearning` takes, tells and needs of its surroundings. */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import type { ComputationChoice } from '../model/choice.js';
import type { Standing } from './race.js';
import { MAX_TIMER_MS } from '../timers.js';

export interface LearningOptions {
  /**
   * What `optimizeComputation` returned as `choices` for the objective `time`: the ratios that are expected, and which
   * rivals may be called at all. Those that were over four times slower never are.
   */
  readonly choices: readonly { readonly size: number; readonly standings: readonly Standing[] }[];
  /** One call in so many leaves its arguments behind; 1,000 by default. */
  readonly sampleEvery?: number;
  /** Time between two slices at least; 1,000 by default. */
  readonly intervalMs?: number;
  /** Length of a slice, to which one pair of batches may be added; 2 by default. */
  readonly sliceMs?: number;
  /** Share of the time that is spent measuring at most, above 0 to 0.5; 0.005 by default. */
  readonly maxShare?: number;
  /** Slices are made only while the event loop was busy for less than this share of the last interval; 0.5 by default. */
  readonly maxUtilization?: number;
  /** Seeds the order of pairs; 1 by default. */
  readonly seed?: number;
  /** Replaces the clock, the timer and the look at the event loop: for tests. */
  readonly environment?: LearningEnvironment;
}

export interface LearningEnvironment {
  /** Milliseconds. */
  readonly now: () => number;
  /** Calls once after `delayMs`. @returns what cancels it. */
  readonly schedule: (call: () => void, delayMs: number) => () => void;
  /** Share of the time since the last call that the event loop was busy. */
  readonly utilization: () => number;
}

export interface LearningEvents {
  /** A ratio that is no longer what the choice was made on. `expected` and `ratio` are the rival's cost over the cost in force. */
  drift: [
    drift: {
      readonly size: number;
      readonly variant: string;
      readonly rival: string;
      readonly expected: number;
      readonly ratio: number;
    },
  ];
  /** Another variant was put in force. `ratio` is its cost over that of the one before. */
  choice: [
    change: {
      readonly size: number;
      readonly from: string;
      readonly to: string;
      readonly ratio: number;
      readonly choice: ComputationChoice;
    },
  ];
  /** A rival that will not be called again: it threw, or gave another result. */
  rejected: [rejection: { readonly variant: string; readonly reason: string }];
}

export interface LearningStats {
  readonly sampled: number;
  readonly slices: number;
  /** Slices that were not made because the event loop was busy. */
  readonly postponed: number;
  readonly pairs: number;
  readonly measuringMs: number;
  readonly changes: number;
}

const OPTION_KEYS: Readonly<Record<keyof LearningOptions, true>> = {
  choices: true,
  sampleEvery: true,
  intervalMs: true,
  sliceMs: true,
  maxShare: true,
  maxUtilization: true,
  seed: true,
  environment: true,
};

/** The settings with defaults. @throws INVALID_ARGUMENT */
export function settingsOf(options: LearningOptions) {
  requireOptions('options of keepLearning', options, OPTION_KEYS);
  const {
    choices,
    sampleEvery = 1_000,
    intervalMs = 1_000,
    sliceMs = 2,
    maxShare = 0.005,
    maxUtilization = 0.5,
    seed = 1,
  } = options;
  const wrong = Array.isArray(choices) ? choices.findIndex((choice) => !isChoice(choice)) : undefined;
  if (wrong !== -1) {
    const expected = 'the choices that optimizeComputation() returned';
    const name = wrong === undefined ? 'choices' : `choices[${wrong}]`;
    const actual = describe(wrong === undefined ? choices : choices[wrong]);
    throw fail('INVALID_ARGUMENT', { name, actual, expected });
  }
  const within = (name: string, value: unknown, isRight: boolean, expected: string) => {
    if (typeof value === 'number' && isRight) return;
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
  };
  within(
    'sampleEvery',
    sampleEvery,
    Number.isInteger(sampleEvery) && sampleEvery >= 1,
    'a number of calls from 1',
  );
  within('intervalMs', intervalMs, intervalMs >= 1 && intervalMs < 2 ** 31, 'milliseconds from 1');
  within('sliceMs', sliceMs, sliceMs > 0 && sliceMs <= 1_000, 'milliseconds above 0, to 1,000');
  within('maxShare', maxShare, maxShare > 0 && maxShare <= 0.5, 'a share above 0, to 0.5');
  within('maxUtilization', maxUtilization, maxUtilization >= 0 && maxUtilization <= 1, 'a share from 0 to 1');
  within(
    'seed',
    seed,
    Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32,
    'an integer from 0 to 2^32 - 1',
  );
  return { sampleEvery, intervalMs, sliceMs, maxShare, maxUtilization };
}

function isChoice(value: unknown): boolean {
  const { size, standings } = Object(value) as { size?: unknown; standings?: unknown };
  const isStanding = (standing: unknown) => {
    const { variant, cost } = Object(standing) as Partial<Standing>;
    return typeof variant === 'string' && typeof cost === 'number';
  };
  return typeof size === 'number' && Array.isArray(standings) && standings.every(isStanding);
}

/** The real clock, an unreferenced timer and this thread's event loop. */
export function hostEnvironment(): LearningEnvironment {
  let last = performance.eventLoopUtilization();
  return {
    now: () => performance.now(),
    schedule: (call, delayMs) => {
      const timer = setTimeout(call, Math.min(delayMs, MAX_TIMER_MS)).unref();
      return () => clearTimeout(timer);
    },
    utilization: () => {
      const present = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(present, last);
      last = present;
      return utilization;
    },
  };
}

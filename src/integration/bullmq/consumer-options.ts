/** What a consumer may be told, what it tells, and the checks. */
import { describe, fail } from '../../errors.js';
import { integerWithin } from '../../threads/check.js';
import { requireOptions } from '../../options.js';
import type { ThreadPoolOptions } from '../../threads/pool-options.js';
import {
  checkQueueOptions,
  QUEUE_KEYS,
  type CheckedQueueOptions,
  type QueueOptions,
} from './bullmq-options.js';
import { allowedModules } from './task-address.js';

export interface BullMQConsumerOptions extends QueueOptions {
  /** Options of the pool that runs the jobs. A consumer takes as many jobs at once as the pool runs. */
  readonly threads?: ThreadPoolOptions;
  /** The only modules whose exports may be run, as paths below the root. All of the program's own by default. */
  readonly only?: readonly string[];
  /** A job whose consumer is silent for this long goes to another one, in ms; 1,000 to 600,000, 10,000 by default. */
  readonly lockMs?: number;
  /** How often a job may lose its consumer before it becomes a dead letter, 0 to 100; 3 by default. */
  readonly maxStalls?: number;
}

export interface JobReport {
  readonly id: string;
  /** `task "resize" (tasks/images.js)` */
  readonly task: string;
  /** In the pool, its queue included. */
  readonly durationMs: number;
}

export interface BullMQConsumerEvents {
  completed: [job: JobReport];
  /** One attempt; `isFinal` where there is no other. */
  failed: [job: JobReport & { readonly error: unknown; readonly isFinal: boolean }];
  /** Handed back to the queue because the consumer closes. */
  returned: [job: JobReport];
  /** The connection failed, or a lock was lost. The consumer goes on. */
  connectionError: [error: Error];
}

export interface BullMQConsumerStats {
  readonly queue: string;
  readonly backend: string;
  readonly concurrency: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly returned: number;
}

const CONSUMER_KEYS = [...QUEUE_KEYS, 'threads', 'only', 'lockMs', 'maxStalls'];

export interface CheckedConsumerOptions {
  readonly checked: CheckedQueueOptions;
  readonly lockMs: number;
  readonly maxStalls: number;
  /** Modules below the root; undefined for all of the program's own. */
  readonly only: ReadonlySet<string> | undefined;
}

/** Longest drain: a timer that is set for longer than 2^31 - 1 ms fires at once. */
const MAX_DRAIN_MS = 86_400_000;

/** @throws INVALID_ARGUMENT */
export function checkDrainTimeout(drainTimeoutMs: unknown): void {
  integerWithin('drainTimeoutMs', drainTimeoutMs, 0, MAX_DRAIN_MS);
}

/** @throws INVALID_ARGUMENT */
export function checkConsumerOptions(options: BullMQConsumerOptions): CheckedConsumerOptions {
  requireOptions('options', options, CONSUMER_KEYS);
  const { lockMs = 10_000, maxStalls = 3, only } = options;
  if (options.threads !== undefined) requireOptions('threads', options.threads);
  if (only !== undefined && !(Array.isArray(only) && only.every((path) => typeof path === 'string'))) {
    throw fail('INVALID_ARGUMENT', { name: 'only', actual: describe(only), expected: 'an array of paths' });
  }
  const checked = checkQueueOptions(options);
  return {
    checked,
    lockMs: integerWithin('lockMs', lockMs, 1_000, 600_000),
    maxStalls: integerWithin('maxStalls', maxStalls, 0, 100),
    only: allowedModules(only, checked.root),
  };
}

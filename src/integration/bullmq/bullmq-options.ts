/** What producers and consumers of a queue have in common, checked. */
import { describe, fail } from '../../errors.js';
import { integerWithin, positiveNumber } from '../../threads/check.js';
import { DEFAULT_CONNECTION, addressOf, type Backend, type QueueConnection } from './connection.js';
import { PayloadCodec } from './payload.js';
import { folderStore, noStore, redisStore, type PayloadStore, type RedisStrings } from './payload-store.js';
import { checkRoot } from './task-address.js';

export interface QueueOptions {
  /** Name of the queue: letters, digits, `-`, `_` and `.`. */
  readonly queue: string;
  /** `redis://127.0.0.1:6379` by default. */
  readonly connection?: QueueConnection;
  /** Of BullMQ's keys in Redis; `bull` by default. */
  readonly prefix?: string;
  /** Folder below which task modules lie; the folder of the nearest package.json by default. */
  readonly root?: string;
  /** How long the first connection may take, in ms; 5,000 by default. Later ones are waited for without end. */
  readonly connectTimeoutMs?: number;
  /** Arguments and results up to this size travel with the job; 1,024 to 1,048,576, 65,536 by default. */
  readonly inlineBytes?: number;
  /** The most that goes by reference; 67,108,864 by default, up to 268,435,456. */
  readonly maxPayloadBytes?: number;
  /** A folder that all processes share, for what goes by reference; by default that goes into Redis. */
  readonly payloadFolder?: string;
  /** How long results are kept, under their key or by reference, in ms; 300,000 by default, at least 1,000. */
  readonly keepResultsMs?: number;
  /** How long dead letters, and arguments that went by reference, are kept, in ms; 14 days by default. */
  readonly keepDeadLettersMs?: number;
}

export const QUEUE_KEYS = [
  'queue',
  'connection',
  'prefix',
  'root',
  'connectTimeoutMs',
  'inlineBytes',
  'maxPayloadBytes',
  'payloadFolder',
  'keepResultsMs',
  'keepDeadLettersMs',
];

export interface CheckedQueueOptions {
  readonly queue: string;
  readonly connection: QueueConnection;
  readonly prefix: string | undefined;
  readonly root: string;
  readonly connectTimeoutMs: number;
  readonly inlineBytes: number;
  readonly maxPayloadBytes: number;
  readonly payloadFolder: string | undefined;
  readonly keepResultsMs: number;
  readonly keepDeadLettersMs: number;
}

const DAY_MS = 86_400_000;

/** @throws INVALID_ARGUMENT */
export function checkQueueOptions(options: QueueOptions): CheckedQueueOptions {
  const { queue, connection = DEFAULT_CONNECTION, prefix, payloadFolder } = options;
  if (typeof queue !== 'string' || !/^[\w.-]+$/.test(queue)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'queue',
      actual: describe(queue),
      expected: 'a name of letters, digits, "-", "_" and "."',
    });
  }
  for (const [name, value] of Object.entries({ prefix, payloadFolder })) {
    if (value === undefined || (typeof value === 'string' && value !== '')) continue;
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'a text that is not empty' });
  }
  addressOf(connection);
  const keepResultsMs = positiveNumber('keepResultsMs', options.keepResultsMs ?? 300_000);
  return {
    queue,
    connection,
    prefix,
    root: checkRoot(options.root),
    connectTimeoutMs: integerWithin('connectTimeoutMs', options.connectTimeoutMs ?? 5_000, 1, 600_000),
    inlineBytes: integerWithin('inlineBytes', options.inlineBytes ?? 65_536, 1_024, 1_048_576),
    maxPayloadBytes: integerWithin(
      'maxPayloadBytes',
      options.maxPayloadBytes ?? 67_108_864,
      1_024,
      268_435_456,
    ),
    payloadFolder,
    keepResultsMs: withinReason(keepResultsMs),
    keepDeadLettersMs: withinReason(
      positiveNumber('keepDeadLettersMs', options.keepDeadLettersMs ?? 14 * DAY_MS),
    ),
  };
}

/** BullMQ counts in whole seconds, and neither it nor Redis knows an infinite time: a hundred years are as good. */
function withinReason(ms: number): number {
  return Math.min(36_525 * DAY_MS, Math.max(1_000, ms));
}

/** @param client of Redis, where the backend is Redis. */
export function payloadStoreOf(
  { payloadFolder, queue, prefix = 'bull' }: CheckedQueueOptions,
  backend: Backend,
  client: () => Promise<unknown>,
): PayloadStore {
  if (payloadFolder !== undefined) return folderStore(payloadFolder);
  if (backend.kind === 'redis')
    return redisStore(client as () => Promise<RedisStrings>, `${prefix}:${queue}`);
  return noStore('with PostgreSQL larger ones need a folder.');
}

export function codecOf(options: CheckedQueueOptions, store: PayloadStore): PayloadCodec {
  return new PayloadCodec({ inlineBytes: options.inlineBytes, maxBytes: options.maxPayloadBytes }, store);
}

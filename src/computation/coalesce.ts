/**
 * Many single calls made into few batched ones: calls of one turn of the event loop (or of `maxWaitMs`) are collected,
 * equal keys are asked for once, and one call of the batch function answers all.
 *
 * Results are not kept beyond their batch: what is asked for later is asked anew. A cache is another decision, with
 * its own bound; put `memoise` around it where one is wanted.
 */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';

export interface CoalesceOptions<Key> {
  /** Keys of one batch at most. 1,000 by default. */
  readonly maxBatch?: number;
  /** How long a batch waits for more keys; 0 (default) for the end of the current turn. */
  readonly maxWaitMs?: number;
  /** By what keys are equal, by `Map` equality; by default the key itself. */
  readonly identity?: (key: Key) => unknown;
}

export interface CoalesceStats {
  readonly calls: number;
  readonly batches: number;
  /** Keys that were passed on: calls less those that shared a key with another of their batch. */
  readonly keys: number;
}

export interface Coalesced<Key, Value> {
  (key: Key): Promise<Value>;
  readonly stats: () => CoalesceStats;
  /** Sends what is waiting now. */
  readonly flush: () => void;
}

interface Waiting<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * @param batch gets different keys and gives as many results in their order; an `Error` among them rejects that call
 *   alone. What it throws rejects all calls of the batch.
 * @throws INVALID_ARGUMENT. Calls reject with INVALID_ARGUMENT where `batch` gives another number of results, and with what
 *   `identity` throws for their key.
 *
 * @example
 * const user = coalesce((ids) => db.query('select … where id = any($1)', [ids]).then(inOrderOf(ids)));
 * await Promise.all([user(1), user(2), user(1)]); // one query for [1, 2]
 */
export function coalesce<Key, Value>(
  batch: (keys: readonly Key[]) => readonly (Value | Error)[] | Promise<readonly (Value | Error)[]>,
  options: CoalesceOptions<Key> = {},
): Coalesced<Key, Value> {
  requireOptions('options of coalesce', options, { maxBatch: true, maxWaitMs: true, identity: true });
  const { maxBatch = 1_000, maxWaitMs = 0, identity = (key) => key } = options;
  if (typeof batch !== 'function') {
    throw fail('INVALID_ARGUMENT', {
      name: 'batch',
      actual: describe(batch),
      expected: 'a function of keys',
    });
  }
  if (!(Number.isInteger(maxBatch) && maxBatch >= 1)) {
    const expected = 'a number of keys from 1';
    throw fail('INVALID_ARGUMENT', { name: 'maxBatch', actual: describe(maxBatch), expected });
  }
  if (!(typeof maxWaitMs === 'number' && maxWaitMs >= 0 && maxWaitMs < 2 ** 31)) {
    const expected = 'milliseconds from 0';
    throw fail('INVALID_ARGUMENT', { name: 'maxWaitMs', actual: describe(maxWaitMs), expected });
  }
  let waiting = new Map<unknown, Waiting<Value>>();
  let keys: Key[] = [];
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  let [calls, batches, sent] = [0, 0, 0];

  const send = async (asked: readonly Key[], all: readonly Waiting<Value>[]): Promise<void> => {
    try {
      const results = await batch(asked);
      // Not of `asked`, which the function may have emptied.
      const count = all.length;
      if (!Array.isArray(results) || results.length !== count) {
        const expected = `one that gives ${count} results, in the order of its keys`;
        const actual = `a function that gave ${describe(results)} for ${count} keys`;
        throw fail('INVALID_ARGUMENT', { name: 'batch', actual, expected });
      }
      for (const [i, each] of all.entries()) {
        const result = (results as readonly (Value | Error)[])[i]!;
        if (result instanceof Error) each.reject(result);
        else each.resolve(result);
      }
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  };
  const flush = (): void => {
    if (timer !== undefined) {
      clearTimeout(timer as NodeJS.Timeout);
      clearImmediate(timer as NodeJS.Immediate);
    }
    timer = undefined;
    if (keys.length === 0) return;
    const [asked, all] = [keys, [...waiting.values()]];
    keys = [];
    waiting = new Map();
    batches += 1;
    sent += asked.length;
    void send(asked, all);
  };
  const call = (key: Key): Promise<Value> => {
    calls += 1;
    let id: unknown;
    try {
      id = identity(key);
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what `identity` throws, whatever it is
      return Promise.reject(error);
    }
    const known = waiting.get(id);
    if (known) return known.promise;
    let [resolve, reject]: [Waiting<Value>['resolve'], Waiting<Value>['reject']] = [() => {}, () => {}];
    const promise = new Promise<Value>((onValue, onError) => {
      [resolve, reject] = [onValue, onError];
    });
    waiting.set(id, { promise, resolve, reject });
    keys.push(key);
    if (keys.length >= maxBatch) flush();
    else timer ??= maxWaitMs === 0 ? setImmediate(flush) : setTimeout(flush, maxWaitMs);
    return promise;
  };
  return Object.assign(call, { stats: () => ({ calls, batches, keys: sent }), flush });
}

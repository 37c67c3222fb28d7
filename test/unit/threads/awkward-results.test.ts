/**
 * Results and errors that cannot be sent as they are, or do something while they are read: their task settles, once, and its
 * thread goes on.
 */
import { describe, expect, it } from 'vitest';
import { SLOTS } from '../../../dist/threads/transport/lane-memory.js';
import { fixture, poolWith, rejection } from '../../fixtures/threads/setup.js';

const returnAwkward = fixture<(kind: string) => unknown>('returnAwkward');
const returnAwkwardLater = fixture<(kind: string) => unknown>('returnAwkwardLater');
const throwAwkward = fixture<(kind: string) => unknown>('throwAwkward');
const echo = fixture<(value: unknown) => unknown>('echo');
const whoAmI = fixture<() => number>('whoAmI');

/** The thread is the one that was there before, and each of its places is free. */
async function expectUnharmed(pool: ReturnType<typeof poolWith>, thread: number) {
  const sent = Array.from({ length: 2 * SLOTS }, (_, n) => n);
  expect(await Promise.all(sent.map((value) => pool.run(echo, value)))).toEqual(sent);
  expect(await pool.run(echo, { n: 1 })).toEqual({ n: 1 });
  expect(await pool.run(echo, new Map([[1, 2]]))).toEqual(new Map([[1, 2]]));
  expect(await pool.run(whoAmI)).toBe(thread);
  expect(pool.stats()).toMatchObject({ running: 0, queued: 0, diedThreads: 0, startedThreads: 1 });
}

const noPart = { name: 'RangeError', message: 'no part' };
const notClonable = { name: 'DataCloneError' };
const revoked = { name: 'TypeError', message: expect.stringContaining('revoked') };
const unsendable: readonly (readonly [string, object])[] = [
  ['getter', noPart],
  ['getterInClone', noPart],
  ['getterInNumbers', noPart],
  ['thenGetter', noPart],
  ['proxy', noPart],
  ['revoked', revoked],
  ['revokedWithin', revoked],
  ['function', notClonable],
  ['functionWithin', notClonable],
  ['symbol', notClonable],
  ['weakMap', notClonable],
  ['promiseWithin', notClonable],
  ['detached', notClonable],
];

describe.each([
  ['at once', returnAwkward],
  ['later', returnAwkwardLater],
])('a result that cannot be sent, given %s', (_, task) => {
  it.each(unsendable)('rejects its task and leaves the thread alone: %s', async (kind, expected) => {
    const pool = poolWith({ maxThreads: 1 });
    const thread = await pool.run(whoAmI);
    const before = pool.run(echo, 'before');
    const failed = pool.run(task, kind);
    const after = pool.run(echo, 'after');
    expect(await rejection(failed)).toMatchObject(expected);
    expect(await Promise.all([before, after])).toEqual(['before', 'after']);
    await expectUnharmed(pool, thread);
    expect(pool.stats()).toMatchObject({ failed: 1 });
  });

  it.each(['cyclic', 'bigint', 'huge', 'wide', 'deep'])('arrives where it can: %s', async (kind) => {
    const pool = poolWith({ maxThreads: 1 });
    const thread = await pool.run(whoAmI);
    const value: any = await pool.run(task, kind);
    if (kind === 'cyclic') expect(value.list).toEqual([value]);
    else if (kind === 'bigint') expect(value).toEqual({ n: 2n ** 70n });
    else if (kind === 'huge') expect(value).toHaveLength(4_000_000);
    else if (kind === 'wide') expect(value[199_999]).toEqual({ n: 199_999 });
    else expect(JSON.stringify(value)).toHaveLength(500 * 10 + 2);
    await expectUnharmed(pool, thread);
  });
});

describe('a thrown value that cannot be sent as it is', () => {
  it.each([
    ['messageIsFunction', { name: 'RangeError', message: 'function message' }],
    ['nameIsSymbol', { name: 'Symbol(name)', message: 'odd' }],
    ['stackIsObject', { name: 'RangeError', message: 'odd' }],
    ['classNameIsFunction', { message: 'odd' }],
    ['classIsMissing', { name: 'RangeError', message: 'odd' }],
    ['errorsAreNone', { name: 'AggregateError', message: 'odd' }],
    ['errorIsRevoked', { code: 'TASK_THREW', cause: expect.stringContaining('revoked') }],
    ['noText', { code: 'TASK_THREW', cause: expect.stringContaining('cannot be read') }],
    ['function', { code: 'TASK_THREW' }],
    ['proxy', { code: 'TASK_THREW' }],
  ])('rejects its task and leaves the thread alone: %s', async (kind, expected) => {
    const pool = poolWith({ maxThreads: 1 });
    const thread = await pool.run(whoAmI);
    const error = await rejection(pool.run(throwAwkward, kind));
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject(expected);
    await expectUnharmed(pool, thread);
  });
});

it('a result whose getters use another pool arrives, and so does what they sent', async () => {
  const pool = poolWith({ maxThreads: 1 });
  const thread = await pool.run(whoAmI);
  expect(await pool.run(fixture('resultThatCalls'))).toEqual({ first: 'first', last: ['last'] });
  await expectUnharmed(pool, thread);
});

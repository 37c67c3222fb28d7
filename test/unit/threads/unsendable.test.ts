/** What cannot be sent to a thread, or back, is named: which task, and where in its arguments or result. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { carriedStore } from '../../../dist/threads/carried-store.js';
import { defineTask } from '../../../dist/threads/task.js';
import { fixture, fixtureFile, poolWith, rejection } from '../../fixtures/threads/setup.js';

const echo = fixture<(value: unknown) => unknown>('echo');
const ECHO = 'task "echo" (tasks.js)';
const detached = () => {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};

describe('arguments that cannot be cloned', () => {
  it.each<[string, unknown]>([
    ['args', () => 1],
    ['args', Symbol('x')],
    ['args.callback', { n: 1, callback: () => 1 }],
    ['args.list.2.on', { list: [1, 2, { on: Symbol('x') }] }],
    ['args.later', { later: Promise.resolve() }],
    ['args.map', { map: new Map([[1, () => 1]]) }],
    ['args.bytes', { bytes: detached() }],
    [
      'args',
      new Proxy({}, {}) &&
        new (class {
          act = () => 1;
        })(),
    ],
  ])('are named: %s', async (path, args) => {
    const pool = poolWith();
    const error = await rejection(pool.run(echo, args));
    expect(error.name).toBe('DataCloneError');
    expect(error.message).toContain(`${path} of ${ECHO} cannot be cloned: `);
    expect(error.cause).toMatchObject({ name: 'DataCloneError' });
    expect(await pool.run(echo, 1)).toBe(1);
  });

  it('are not read again to be named', async () => {
    let reads = 0;
    const args = {
      get own() {
        reads += 1;
        return 1;
      },
      callback: () => 1,
    };
    const pool = poolWith();
    await rejection(pool.run(echo, args));
    const once = reads;
    await rejection(pool.run(echo, { args }));
    expect(reads).toBe(2 * once);
    expect(once).toBeLessThanOrEqual(2);
  });

  it('are told from what a getter throws', async () => {
    const own = new RangeError('own');
    const args = {
      get x(): never {
        throw own;
      },
    };
    expect(await rejection(poolWith().run(echo, args))).toBe(own);
  });

  it('are told from async stores', async () => {
    const storage = new AsyncLocalStorage<unknown>();
    const pool = poolWith({ stores: [carriedStore(fixtureFile('tasks.js'), 'request', storage)] });
    const error = await rejection(storage.run({ reply: () => 1 }, () => pool.run(echo, 1)));
    expect(error.name).toBe('DataCloneError');
    expect(error.message).toContain(`store "request".reply of ${ECHO}`);
  });
});

describe('what cannot be moved', () => {
  it.each<[unknown, string, RegExp]>([
    [[{}], 'transfer[0]', /an object/],
    [[new ArrayBuffer(4), 7], 'transfer[1]', /7/],
    [[null], 'transfer[0]', /null/],
    [[new Uint8Array(4)], 'transfer[0]', /a Uint8Array.*the buffer of the array/s],
    [[new SharedArrayBuffer(4)], 'transfer[0]', /a SharedArrayBuffer/],
    [[new Date()], 'transfer', /moved/],
  ])('is named: %j', async (transfer, name, actual) => {
    const pool = poolWith();
    const error = await rejection(pool.run(echo, { transfer }, { transfer } as never));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.message).toContain(`${name} of ${ECHO}`);
    expect(error.message).toMatch(actual);
    expect(await pool.run(echo, 1)).toBe(1);
  });

  it('is named where it stands there twice', async () => {
    const pool = poolWith();
    const buffer = new ArrayBuffer(4);
    const twice = await rejection(pool.run(echo, buffer, { transfer: [buffer, buffer] }));
    expect(twice).toMatchObject({ name: 'DataCloneError' });
    expect(twice.message).toContain(ECHO);
  });

  it('is asked for where it can only be moved', async () => {
    const pool = poolWith();
    const { port1, port2 } = new MessageChannel();
    const error = await rejection(pool.run(echo, { port: port1 }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.message).toContain(`args.port of ${ECHO}`);
    expect(error.message).toContain('transfer');
    port2.close();
  });
});

describe('results that cannot be cloned', () => {
  const source = (body: string) =>
    defineTask(`data:text/javascript,${encodeURIComponent(`export const give = ${body};`)}`, 'give');

  it.each([
    ['() => () => 1', 'result'],
    ['async () => ({ list: [1, () => 1] })', 'result.list.1'],
    ['() => ({ later: Promise.resolve() })', 'result.later'],
  ])('are named: %s', async (body, path) => {
    const error = await rejection(poolWith().run(source(body)));
    expect(error.name).toBe('DataCloneError');
    expect(error.message).toContain(`${path} of task "give" (data: URL) cannot be cloned: `);
    expect(error.cause).toMatchObject({ name: 'DataCloneError' });
  });

  it('are told from what the task throws', async () => {
    const error = await rejection(poolWith().run(source('() => structuredClone(() => 1)')));
    expect(error.name).toBe('DataCloneError');
    expect(error.message).toBe('() => 1 could not be cloned.');
  });
});

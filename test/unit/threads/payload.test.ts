/** What a slot delivers is what structured clone would deliver; what it cannot do so for, it leaves to messages. */
import { describe, expect, it } from 'vitest';
import { HAS_STORES, LaneMemory, SLOTS } from '../../../dist/threads/transport/lane-memory.js';
import { readPayload, writePayload, written } from '../../../dist/threads/transport/payload.js';
import { randomFrom } from '../../fixtures/threads/simulate.js';

const pool = new LaneMemory();
const worker = new LaneMemory(pool.buffer);

/** What arrives on the other side of a lane; undefined where the value has to go as a message. */
function through(value: unknown): { value: unknown } | undefined {
  const slot = turn++ % SLOTS;
  if (!pool.write(slot, value)) return undefined;
  pool.submit(slot, 1, written.kind, written.length, HAS_STORES);
  expect(worker.flags(slot)).toBe(HAS_STORES);
  return { value: worker.read(slot) };
}
let turn = 0;

describe('payloads', () => {
  it.each([
    [undefined],
    [null],
    [true],
    [false],
    [0],
    [-0],
    [NaN],
    [-Infinity],
    [Number.MIN_VALUE],
    [''],
    ['text'],
    ['ünï — 漢字 🎉 \u0000'],
    ['\ud800 alone'],
    [[1, NaN, -0]],
    [[1, 'a', null]],
    [{ id: 1, name: 'a', nested: { list: [{ deep: true }] } }],
    [{}],
    [{ '': 0, 7: 'seven', ['__proto__']: 1 }],
  ])('carry %j', (value) => {
    const arrived = through(value);
    expect(arrived).toBeDefined();
    expect(arrived!.value).toStrictEqual(structuredClone(value));
    if (typeof value === 'object' && value !== null) expect(arrived!.value).not.toBe(value);
  });

  const twice = { a: 1 };
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  const named = Object.assign([1, 2], { extra: 1 });
  class JsonArray extends Array<unknown> {
    toJSON(): string {
      return 'json';
    }
  }
  class Money {
    amount = 1;
  }
  it.each([
    ['a bigint', 1n],
    ['a symbol', Symbol('x')],
    ['a function', () => 1],
    ['a date', new Date(0)],
    ['an array with a form of its own for JSON', Object.setPrototypeOf([1, 'a'], JsonArray.prototype)],
    ['an object with a hidden one', Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'json' })],
    ['a map', new Map([[1, 2]])],
    ['a typed array', new Uint8Array(3)],
    ['an instance', new Money()],
    ['undefined in an object', { a: undefined }],
    ['-0 in an object', { a: -0 }],
    ['NaN in an object', { a: NaN }],
    ['a hole', [1, , 3]],
    ['an array with names', named],
    ['an object in two places', [twice, twice]],
    ['a cycle', cyclic],
    ['a method', { toJSON: () => 1 }],
    ['a date within', { at: new Date(0) }],
    ['a long text', 'x'.repeat(2_000)],
    ['a text that is long in UTF-8', '漢'.repeat(400)],
    ['many numbers', Array.from({ length: 200 }, (_, n) => n)],
    ['many entries', Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, n]))],
  ])('leave %s to messages', (_, value) => {
    expect(through(value)).toBeUndefined();
  });

  it('keep within their slot, whatever the length', () => {
    for (let length = 0; length < 80; length += 1) {
      for (const letter of ['a', 'ü', '漢', '"']) {
        const buffer = new SharedArrayBuffer(96);
        const slot = {
          numbers: new Float64Array(buffer, 16, 8),
          bytes: Buffer.from(buffer, 16, 64) as never,
        };
        const text = letter.repeat(length);
        if (writePayload(text, slot)) {
          expect(readPayload(written.kind, written.length, slot)).toBe(text);
        }
        const outside = [...new Uint8Array(buffer, 0, 16), ...new Uint8Array(buffer, 80, 16)];
        expect(outside.every((byte) => byte === 0)).toBe(true);
      }
    }
  });

  it('carry random plain data as structured clone does', () => {
    const random = randomFrom(7);
    const make = (depth: number): unknown => {
      const kind = Math.floor(random() * (depth > 2 ? 5 : 7));
      if (kind === 0) return Math.floor(random() * 1e9);
      if (kind === 1) return random();
      if (kind === 2) return `t${random()}`;
      if (kind === 3) return random() < 0.5;
      if (kind === 4) return null;
      const count = Math.floor(random() * 4);
      if (kind === 5) return Array.from({ length: count }, () => make(depth + 1));
      return Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, make(depth + 1)]));
    };
    let carried = 0;
    for (let round = 0; round < 500; round += 1) {
      const value = make(0);
      const arrived = through(value);
      if (arrived === undefined) continue;
      carried += 1;
      expect(arrived.value).toStrictEqual(structuredClone(value));
    }
    expect(carried).toBeGreaterThan(300);
  });

  it('are told apart where a getter sends another', () => {
    const shared = { a: 1 };
    const value = {
      first: shared,
      get nested() {
        expect(through({ other: [{ deep: true }] })).toBeDefined();
        return 1;
      },
      // Only structured clone keeps these one object.
      second: shared,
    };
    expect(through(value)).toBeUndefined();
    const throws = {
      get nested(): number {
        throw new RangeError('no value');
      },
    };
    expect(() => through([shared, throws])).toThrow(RangeError);
    expect(through(shared)).toEqual({ value: shared });
  });
});

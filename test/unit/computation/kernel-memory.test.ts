// Every kernel on memory that is not a plain array: views at odd offsets, that follow a buffer which was shrunk or grown, that
// lie outside of one by now, or whose buffer is gone. Each gives what it gives for a plain copy of what the view shows.
import { describe, expect, it } from 'vitest';
import * as kernels from '../../../dist/computation/kernels/kernels.js';
import { loadNative } from '../../../dist/native/load.js';
import { randomSource } from '../memory/random.js';

const native = loadNative().kernels!;
// Around the gates, the vectors' widths and the chunks.
const LENGTHS = [0, 1, 3, 15, 31, 33, 63, 127, 129, 145, 191, 255, 257, 385, 449, 700, 1025, 4099, 16_385];
const TYPES = [
  Float64Array,
  Float32Array,
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
] as const;
type Type = (typeof TYPES)[number];
type Numbers = InstanceType<Type>;
type View<T> = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => T;

interface Resizable extends ArrayBuffer {
  resize(byteLength: number): void;
}
interface Growable extends SharedArrayBuffer {
  grow(byteLength: number): void;
}
const resizable = (bytes: number, maxByteLength: number) =>
  new (ArrayBuffer as any)(bytes, { maxByteLength }) as Resizable;
const growable = (bytes: number, maxByteLength: number) =>
  new (SharedArrayBuffer as any)(bytes, { maxByteLength }) as Growable;

/** name → a view of `length` elements, made in a way that could go wrong. */
const MEMORY: Record<string, (Type: Type, length: number) => Numbers> = {
  'at an odd offset': (Type, length) => {
    const bytes = Type.BYTES_PER_ELEMENT;
    return new (Type as View<Numbers>)(new ArrayBuffer((length + 3) * bytes), bytes, length);
  },
  'that follows a shrunk buffer': (Type, length) => {
    const bytes = Type.BYTES_PER_ELEMENT;
    const buffer = resizable((2 * length + 9) * bytes, (2 * length + 9) * bytes);
    const view = new (Type as View<Numbers>)(buffer, bytes);
    view.fill(7);
    buffer.resize((length + 1) * bytes);
    return view;
  },
  'that follows a grown buffer': (Type, length) => {
    const bytes = Type.BYTES_PER_ELEMENT;
    const buffer = resizable(bytes, (length + 2) * bytes);
    const view = new (Type as View<Numbers>)(buffer);
    buffer.resize(length * bytes);
    return view;
  },
  'that follows a grown shared buffer': (Type, length) => {
    const bytes = Type.BYTES_PER_ELEMENT;
    const buffer = growable(bytes, (length + 2) * bytes);
    const view = new (Type as View<Numbers>)(buffer, bytes);
    buffer.grow((length + 1) * bytes);
    return view;
  },
};

function fill(view: Numbers, seed: number): void {
  const next = randomSource(seed);
  const isFloat = view instanceof Float64Array || view instanceof Float32Array;
  const odd = [NaN, -0, 0, Infinity, -Infinity, 5e-324, -1e308, 1e38];
  for (let i = 0; i < view.length; i += 1) {
    const pick = next();
    view[i] = !isFloat
      ? Math.floor(next() * 2 ** 32)
      : seed % 2 === 1 && pick < 0.02
        ? odd[Math.floor(next() * odd.length)]!
        : (next() - 0.5) * 10 ** Math.floor(next() * 6);
  }
}

/** A plain array of what the view shows; by index, for methods of arrays throw where the buffer is gone. */
function copyOf(view: Numbers): Numbers {
  const copy = new (view.constructor as new (length: number) => Numbers)(view.length);
  for (let i = 0; i < view.length; i += 1) copy[i] = view[i]!;
  return copy;
}

/** The same bits, NaNs alike. */
function same(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}

/** What every kernel that takes numbers gives for some memory. Results are plain, so that they can be held together. */
function answers(view: Numbers): unknown[] {
  const plain = (values: ArrayLike<number>) => Array.from(values);
  const { length } = view;
  const places = Uint32Array.from({ length }, (_, i) => (i * 7) % length);
  const all: unknown[] = [
    kernels.sum(view),
    kernels.mean(view),
    kernels.min(view),
    kernels.max(view),
    kernels.argmin(view),
    kernels.argmax(view),
    kernels.dot(view, view),
    kernels.moments(view),
    plain(kernels.prefixSum(view)),
    plain(kernels.compact(view, '>=', 3)),
    plain(kernels.filterIndices(view, '<', 100)),
    plain(kernels.gather(view, places)),
    plain(kernels.argsort(view)),
    kernels.countBits(view),
    kernels.countCodePoints(view),
    kernels.crc32c(view),
    kernels.xxh64(view),
    kernels.hexEncode(view),
    kernels.histogram(view, { bins: 16, low: -100, high: 100 }),
  ];
  if (length > 0) all.push(kernels.quantiles(view, [0, 0.3, 1]));
  if (view instanceof Float64Array || view instanceof Float32Array) {
    all.push(kernels.sum(view, { compensated: true }));
  }
  if (view instanceof Uint8Array) {
    const values = Float64Array.from(copyOf(view));
    all.push(kernels.groupSum(view, values, 256));
  }
  return all;
}

/** Kernels that write: into the memory itself. */
function changes(view: Numbers): void {
  const { length } = view;
  const source = copyOf(view);
  const places = Uint32Array.from({ length }, (_, i) => length - 1 - i);
  if (view instanceof Float64Array || view instanceof Float32Array) {
    kernels.scale(view, 0.5);
    kernels.axpy(0.25, source as Float64Array, view as Float64Array);
  }
  if (view instanceof Float64Array) kernels.prefixSum(view, view);
  kernels.scatter(source, places, view);
  kernels.compact(source, '!=', 3, view);
  kernels.bitXor(view, source, view);
  kernels.sort(view);
}

describe.each(Object.entries(MEMORY))('kernels on views %s', (_, make) => {
  it.each(TYPES.map((Type) => [Type.name, Type] as const))('of %s', (_name, Type) => {
    for (const [i, length] of LENGTHS.entries()) {
      const view = make(Type, length);
      expect(view.length).toBe(length);
      fill(view, i + 1);
      const copy = copyOf(view);
      same(answers(view), answers(copy));
      changes(view);
      changes(copy);
      same(Array.from(view), Array.from(copy));
    }
  });
});

describe('kernels on memory that is gone', () => {
  const detached = (Type: Type) => {
    const view = new Type(2000).fill(5);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return view;
  };
  const outside = (Type: Type) => {
    const buffer = resizable(16_000, 16_000);
    const view = new (Type as View<Numbers>)(buffer, 8000, 500);
    view.fill(5);
    buffer.resize(400);
    return view;
  };
  it.each(TYPES.map((Type) => [Type.name, Type] as const))('take a %s as empty', (_name, Type) => {
    for (const view of [detached(Type), outside(Type)]) {
      expect(view.length).toBe(0);
      same(answers(view), answers(new Type(0)));
      changes(view);
      same(native.arrayReduce(0, view), 0);
    }
  });

  it('refuse it as room for results, and next to what is there', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    const values = new Float64Array(1000).fill(1);
    for (const gone of [detached(Float64Array), outside(Float64Array)] as Float64Array[]) {
      const places = new Uint32Array(1000);
      expect(() => kernels.prefixSum(values, gone)).toThrow(invalid);
      expect(() => kernels.compact(values, '>', 0, gone)).toThrow(invalid);
      expect(() => kernels.gather(values, places, gone)).toThrow(invalid);
      expect(() => kernels.scatter(values, places, gone)).toThrow(invalid);
      expect(() => kernels.gather(gone, places)).toThrow(invalid);
      expect(() => kernels.axpy(1, values, gone)).toThrow(invalid);
      expect(() => kernels.dot(values, gone)).toThrow(invalid);
      expect(() => native.arrayAxpy(1, values, gone)).toThrow();
      expect(() => native.arrayScatter(values, places, gone)).not.toThrow();
    }
  });
});

it('sees overlap in memory that is grown and shrunk', () => {
  const buffer = resizable(16_384, 32_768);
  const [first, second] = [new Float64Array(buffer, 0, 1000), new Float64Array(buffer, 8000)];
  expect(() => kernels.prefixSum(first, new Float64Array(buffer, 4000, 1000))).toThrow(/overlaps values/);
  first.fill(1);
  expect(second.length).toBe(1048);
  kernels.prefixSum(first, second);
  expect(second[999]).toBe(1000);
  buffer.resize(32_768);
  expect(second.length).toBe(3096);
  kernels.prefixSum(first, second);
  expect(second[999]).toBe(1000);
});

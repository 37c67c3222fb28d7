import { describe, expect, it } from 'vitest';
import { firstDifference } from '../../../dist/validation/equality.js';

describe('firstDifference', () => {
  it.each([
    ['nested plain data', { a: [1, { b: 'x' }] }, { a: [1, { b: 'x' }] }],
    ['NaN', NaN, NaN],
    ['zeros of either sign', 0, -0],
    ['typed arrays', new Float64Array([1, 2]), new Float64Array([1, 2])],
    ['buffers', new Uint8Array([1]).buffer, new Uint8Array([1]).buffer],
    ['sets in another order', new Set([1, 2]), new Set([2, 1])],
    ['dates', new Date(5), new Date(5)],
    ['objects whose text is not theirs', Object.create(Number.prototype), Object.create(Number.prototype)],
    ['URLs', new URL('http://a/'), new URL('http://a/')],
    ['functions, which cannot be compared', () => 1, () => 2],
    ['promises, which cannot be compared', Promise.resolve(1), Promise.resolve(2)],
  ])('finds none between equal %s', (_, a, b) => {
    expect(firstDifference(a, b)).toBeNull();
  });

  it.each([
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, 'result.a[1].b is 2 against 3'],
    [[1, 2], [1], 'result has 2 elements against 1'],
    [{ a: 1 }, { a: 1, b: 2 }, 'result.b exists in the candidate only'],
    [{ a: 1, b: 2 }, { a: 1 }, 'result.b exists in the baseline only'],
    [1, '1', 'result is 1 against "1"'],
    [null, {}, 'result is null against an object'],
    [undefined, 0, 'result is undefined against 0'],
    [[1], new Int8Array([1]), 'result is an array of 1 against an Int8Array'],
    [new Map([['k', 1]]), new Map([['k', 2]]), 'result (as entries)[0][1] is 1 against 2'],
    [new Error('a'), new Error('b'), 'result is Error: a against Error: b'],
    [new URL('http://a/'), new URL('http://b/'), 'result is "http://a/" against "http://b/"'],
    [[new URLSearchParams('a=1')], [new URLSearchParams('a=2')], 'result[0] is "a=1" against "a=2"'],
    [Object(1n), Object(2n), 'result is "1" against "2"'],
    [new DataView(new Uint8Array([1]).buffer), new DataView(new Uint8Array([2]).buffer), 'result[0] is 1'],
  ])('names the place: %o against %o', (a, b, expected) => {
    expect(firstDifference(a, b)).toContain(expected);
  });

  it('holds instances of equal classes from separate module instances equal', () => {
    const make = () => {
      class Point {
        x = 1;
      }
      return new Point();
    };
    expect(firstDifference(make(), make())).toBeNull();
  });

  it('tolerates small relative differences where asked, and tells how large they are where not', () => {
    expect(firstDifference([0.1 + 0.2], [0.3], 1e-12)).toBeNull();
    expect(firstDifference([0.1 + 0.2], [0.3])).toMatch(/relative difference of 1\.9e-16/);
    expect(firstDifference(1, 1.1, 0.01)).not.toBeNull();
  });

  it('survives cycles and very deep results', () => {
    const cyclic = () => {
      const node: { next?: unknown; value: number } = { value: 1 };
      node.next = node;
      return node;
    };
    expect(firstDifference(cyclic(), cyclic())).toBeNull();
    const deep = () => {
      let list: unknown = null;
      for (let i = 0; i < 100_000; i += 1) list = { list };
      return list;
    };
    expect(firstDifference(deep(), deep())).toMatch(/too deeply/);
  });
});

import { describe, expect, it, vi } from 'vitest';
import { ObjectPool } from '../../../dist/memory/object-pool.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });

function counted() {
  const log = { made: 0, destroyed: 0 };
  const create = () => ({ id: (log.made += 1), dirty: false, broken: false });
  return { log, create };
}

describe('ObjectPool', () => {
  it('recycles objects, reset', () => {
    const { log, create } = counted();
    using pool = new ObjectPool({ create, reset: (object) => (object.dirty = false) });
    const first = pool.acquire();
    first.dirty = true;
    pool.release(first);
    const second = pool.acquire();
    expect(second).toBe(first);
    expect(second.dirty).toBe(false);
    expect(pool.acquire()).not.toBe(first);
    expect(log.made).toBe(2);
    expect(pool.stats()).toMatchObject({ inUse: 2, highWater: 2, growths: 2, bytes: { available: false } });
  });

  it('replaces objects that do not validate', () => {
    const { log, create } = counted();
    const destroyed: number[] = [];
    using pool = new ObjectPool({
      create,
      validate: (object) => !object.broken,
      destroy: (object) => void destroyed.push(object.id),
    });
    const bad = pool.acquire();
    bad.broken = true;
    pool.release(bad);
    expect(pool.acquire().id).toBe(2);
    expect(destroyed).toEqual([1]);
    expect(log.made).toBe(2);
  });

  it('holds its marks: minIdle at once, maxIdle at release, max in all', () => {
    const { log, create } = counted();
    using pool = new ObjectPool({
      create,
      destroy: () => (log.destroyed += 1),
      minIdle: 2,
      maxIdle: 3,
      max: 5,
    });
    expect(log.made).toBe(2);
    const held = Array.from({ length: 5 }, () => pool.acquire());
    expect(() => pool.acquire()).toThrow(code('POOL_EXHAUSTED'));
    for (const object of held) pool.release(object);
    expect(log.destroyed).toBe(2);
    expect(pool.trim()).toBe(1);
    expect(pool.stats()).toMatchObject({ capacity: 2, exhausted: 1, highWater: 5 });
  });

  it('shrinks by itself when a peak is over', () => {
    const { create } = counted();
    using pool = new ObjectPool({ create, minIdle: 1 });
    const held = Array.from({ length: 100 }, () => pool.acquire());
    for (const object of held) pool.release(object);
    for (let k = 0; k < 20_000; k += 1) pool.release(pool.acquire());
    expect(pool.stats().capacity).toBeLessThan(10);
    expect(pool.stats().capacity).toBeGreaterThanOrEqual(1);
  });

  it('shrinks when nobody uses it, and keeps what is needed', () => {
    vi.useFakeTimers();
    try {
      const { log, create } = counted();
      using pool = new ObjectPool({
        create,
        destroy: () => (log.destroyed += 1),
        minIdle: 2,
        shrinkAfterMs: 1000,
      });
      const held = Array.from({ length: 10 }, () => pool.acquire());
      for (const object of held) pool.release(object);
      // The third release began the first interval. Seven more came, so that three were never needed in it.
      vi.advanceTimersByTime(1000);
      expect(pool.stats().capacity).toBe(7);
      vi.advanceTimersByTime(1000);
      expect(pool.stats().capacity).toBe(2);
      expect(log.destroyed).toBe(8);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('has no timer where shrinkAfterMs is 0, nor after the close', () => {
    vi.useFakeTimers();
    try {
      using never = new ObjectPool({ create: () => ({}), shrinkAfterMs: 0 });
      never.release(never.acquire());
      expect(vi.getTimerCount()).toBe(0);
      const closed = new ObjectPool({ create: () => ({}) });
      closed.release(closed.acquire());
      expect(vi.getTimerCount()).toBe(1);
      closed.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('destroys what reset or validate choked on, and stays whole', () => {
    const { log, create } = counted();
    let chokes = true;
    const choke = () => {
      if (chokes) throw new Error('choked');
      return true;
    };
    using pool = new ObjectPool({ create, reset: choke, destroy: () => (log.destroyed += 1) });
    expect(() => pool.release(pool.acquire())).toThrow('choked');
    expect(pool.stats()).toMatchObject({ inUse: 0, capacity: 0 });
    using checked = new ObjectPool({ create, validate: choke, destroy: () => (log.destroyed += 1) });
    checked.release(checked.acquire());
    expect(() => checked.acquire()).toThrow('choked');
    expect(checked.stats()).toMatchObject({ inUse: 0, capacity: 0 });
    chokes = false;
    checked.release(checked.acquire());
    expect(checked.acquire()).toMatchObject({ id: 3 });
    expect(log.destroyed).toBe(2);
  });

  it('refuses double releases and objects of others', () => {
    using pool = new ObjectPool({ create: () => ({}) });
    const object = pool.acquire();
    expect(pool.has(object)).toBe(true);
    pool.release(object);
    for (const wrong of [object, {}, null, undefined, 5]) {
      expect(() => pool.release(wrong as never)).toThrow(code('FOREIGN_HANDLE'));
    }
  });

  it('says of an object that it was released already', () => {
    using pool = new ObjectPool({ create: () => [] as number[], name: 'lists' });
    const list = pool.acquire();
    pool.release(list);
    expect(() => pool.release(list)).toThrow(
      'an array of 0 that was released already is no handle of pool "lists"',
    );
    expect(() => pool.release([])).toThrow('an array of 0 is no handle of pool "lists"');
  });

  it('says that create() returned no object, and stays usable', () => {
    let made: unknown;
    using pool = new ObjectPool({ create: () => made as object, name: 'parsers' });
    for (const wrong of [undefined, null, 5, 'text']) {
      made = wrong;
      expect(() => pool.acquire()).toThrow(code('INVALID_ARGUMENT'));
      expect(() => pool.acquire()).toThrow('create() of pool "parsers"');
    }
    made = () => 1;
    expect(pool.acquire()).toBe(made);
    expect(pool.stats()).toMatchObject({ inUse: 1, growths: 1 });
  });

  it.each([
    undefined,
    {},
    { create: 5 },
    { create: () => ({}), reset: 'x' },
    { create: () => ({}), max: 0 },
    { create: () => ({}), minIdle: NaN },
    { create: () => ({}), minIdle: 5, maxIdle: 4 },
    { create: () => ({}), maxidle: 4 },
    { create: () => ({}), name: 4 },
    { create: () => undefined, minIdle: 1 },
  ])('refuses options %o', (options) => {
    expect(() => new ObjectPool(options as never)).toThrow(code('INVALID_ARGUMENT'));
  });

  it('takes no object back that reset() or validate() closed the pool under', () => {
    vi.useFakeTimers();
    try {
      const { log, create } = counted();
      const destroy = () => (log.destroyed += 1);
      const first = new ObjectPool({ create, reset: () => first.close(), destroy });
      first.release(first.acquire());
      expect(first.stats()).toMatchObject({ capacity: 0, inUse: 0 });
      expect(log.destroyed).toBe(1);
      const second: ObjectPool<object> = new ObjectPool({
        create,
        validate: () => (second.close(), true),
        destroy,
      });
      second.release(second.acquire());
      expect(() => second.acquire()).toThrow(code('CLOSED'));
      expect(second.stats()).toMatchObject({ capacity: 0, inUse: 0 });
      expect(log.destroyed).toBe(2);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps to max where create() itself acquires', () => {
    const { log, create } = counted();
    using pool: ObjectPool<ReturnType<typeof create>> = new ObjectPool({
      create: () => {
        if (log.made === 0) {
          const made = create();
          pool.acquire();
          return made;
        }
        return create();
      },
      destroy: () => (log.destroyed += 1),
      max: 1,
    });
    expect(() => pool.acquire()).toThrow(code('POOL_EXHAUSTED'));
    expect(pool.stats()).toMatchObject({ inUse: 1, capacity: 1 });
    expect(log).toEqual({ made: 2, destroyed: 1 });
  });

  it('refuses an object that is in use already, and validate() and reset() without an answer', () => {
    const shared = {};
    using same = new ObjectPool({ create: () => shared, name: 'same' });
    same.acquire();
    expect(() => same.acquire()).toThrow('create() of pool "same"');
    expect(same.stats()).toMatchObject({ inUse: 1 });
    for (const wrong of [undefined, null, 1, Promise.resolve(false)]) {
      using pool = new ObjectPool({ create: () => ({}), validate: () => wrong as never });
      pool.release(pool.acquire());
      expect(() => pool.acquire()).toThrow(code('INVALID_ARGUMENT'));
      expect(pool.stats()).toMatchObject({ capacity: 0 });
    }
    // A rejection nobody could handle would end the test run.
    using late = new ObjectPool({
      create: () => ({}),
      reset: (): any => Promise.reject(new Error('late')),
    });
    expect(() => late.release(late.acquire())).toThrow(code('INVALID_ARGUMENT'));
    expect(late.stats()).toMatchObject({ capacity: 0 });
  });

  it('destroys every object that goes, also where one cannot be', () => {
    const destroyed: number[] = [];
    const destroy = ({ id }: { id: number }) => {
      destroyed.push(id);
      if (id < 3) throw new Error(`stuck ${id}`);
    };
    const pool = new ObjectPool({ create: counted().create, destroy, minIdle: 4 });
    expect(() => pool.close()).toThrow(AggregateError);
    expect(destroyed).toEqual([1, 2, 3, 4]);
    destroyed.length = 0;
    const { create } = counted();
    const failing = () => {
      const made = create();
      if (made.id === 5) throw new Error('no fifth');
      return { ...made, id: made.id + 10 };
    };
    expect(() => new ObjectPool({ create: failing, destroy, minIdle: 5 })).toThrow('no fifth');
    expect(destroyed).toEqual([11, 12, 13, 14]);
  });

  it('goes on shrinking after destroy() threw in the timer', () => {
    vi.useFakeTimers();
    try {
      let fails = true;
      using pool = new ObjectPool({
        create: () => ({}),
        destroy: () => {
          if (fails) throw new Error('stuck');
        },
        minIdle: 1,
        shrinkAfterMs: 1000,
      });
      const held = Array.from({ length: 4 }, () => pool.acquire());
      for (const object of held) pool.release(object);
      expect(() => vi.advanceTimersByTime(1000)).toThrow('2 objects of pool');
      fails = false;
      vi.advanceTimersByTime(1000);
      expect(pool.stats().capacity).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('destroys idle objects at close, and throws CLOSED after', () => {
    const { log, create } = counted();
    const pool = new ObjectPool({ create, destroy: () => (log.destroyed += 1), minIdle: 3 });
    const object = pool.acquire();
    pool.close();
    pool.close();
    expect(log.destroyed).toBe(2);
    expect(() => pool.acquire()).toThrow(code('CLOSED'));
    expect(() => pool.release(object)).toThrow(code('CLOSED'));
    expect(pool.stats().closed).toBe(true);
  });
});

/** What `nice` does to threads, as the kernel tells it. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../../dist/native/load.js';
import { fixture, poolWith, rejection } from '../../fixtures/threads/setup.js';

const niceOfThread = fixture<() => Promise<number>>('niceOfThread');
const linux = process.platform === 'linux';
const niceOf = (tid: number | string) =>
  Number(readFileSync(`/proc/self/task/${tid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[16]);

describe.runIf(linux)('nice', () => {
  it('is of the pool’s threads alone, all of them, also of one that replaces another', async () => {
    const own = niceOf(process.pid);
    const nice = Math.min(19, own + 7);
    const pool = poolWith({ nice, name: 'nice', maxThreads: 2 });
    await pool.start();
    expect(await pool.run(niceOfThread)).toBe(nice);
    const tids = pool.threadStats().map(({ tid }) => tid!);
    expect(tids.map(niceOf)).toEqual([nice, nice]);
    expect(niceOf(process.pid)).toBe(own);
    // Nobody else: the threads of Node and of libuv stay as they are.
    for (const tid of readdirSync('/proc/self/task'))
      if (!tids.includes(Number(tid))) expect(niceOf(tid)).toBe(own);
    await rejection(pool.run(fixture('exitProcess'), 1));
    expect(await pool.run(niceOfThread)).toBe(nice);
  });

  it('is that of the thread that makes the pool where none is given', async () => {
    expect(await poolWith().run(niceOfThread)).toBe(niceOf(process.pid));
  });
});

describe('nice', () => {
  it.each([-1, 20, 1.5, '5', null])('refuses %j', (nice) => {
    expect(() => poolWith({ nice: nice as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it.runIf(linux)('refuses what is no thread of this process', () => {
    expect(() => loadNative().setNice(1, 19)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
  });
});

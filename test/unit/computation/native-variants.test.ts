// Native kernels as participants of a race: names, results, what the settings leave out, and what is refused.
import { describe, expect, it } from 'vitest';
import { computation } from '../../../dist/computation/computation.js';
import * as kernels from '../../../dist/computation/kernels/kernels.js';
import { admitted } from '../../../dist/computation/participants.js';

const loop = (values: Float64Array) => {
  let least = Infinity;
  for (let i = 0; i < values.length; i += 1) if (values[i]! < least) least = values[i]!;
  return least;
};
const make = (native: object) =>
  computation<any>({ name: 'least', variants: { loop }, native: native as never });
const run = (threads: number, values: Float64Array) => kernels.min(values, { threads });

describe('native kernels of a computation', () => {
  it('are variants, alone and on threads', () => {
    const subject = make({ run, threads: 2 });
    expect(subject.variantNames).toEqual(['loop', 'native', 'nativeParallel']);
    const values = Float64Array.from({ length: 300_000 }, (_, i) => Math.sin(i));
    for (const variant of subject.variantNames) {
      subject.applyChoice({ kind: 'computation', bySize: [{ maxSize: null, variant }] });
      expect(subject.dispatch(values)).toBe(loop(values));
    }
  });

  it('are one variant where there is one thread', () => {
    expect(make({ run, threads: 1 }).variantNames).toEqual(['loop', 'native']);
  });

  it('take part as the settings say', async () => {
    const subject = make({ run, threads: 4 });
    const variants = await subject.load();
    const names = (strategy: 'auto' | 'native' | 'serial' | 'threads', maxThreads?: number) =>
      admitted(variants, subject.choice, {
        strategy,
        ...(maxThreads !== undefined && { maxThreads }),
      }).variants.map(({ name }) => name);
    expect(names('auto')).toEqual(['loop', 'native', 'nativeParallel']);
    expect(names('native')).toEqual(['loop', 'native', 'nativeParallel']);
    expect(names('native', 2)).toEqual(['loop', 'native']);
    expect(names('serial')).toEqual(['loop']);
    expect(names('threads')).toEqual(['loop']);
  });

  it('leave their names to nobody else', () => {
    const refused = (options: object) =>
      expect(() => computation<any>({ name: 'least', ...options } as never)).toThrow(
        /two with the name "native/,
      );
    refused({ variants: { loop, native: loop }, native: { run } });
    refused({ variants: { loop, nativeParallel: loop }, native: { run, threads: 2 } });
    refused({ variants: { module: 'm.mjs', exports: ['loop', 'native'], native: 'kernels' } });
    refused({ variants: { module: 'm.mjs', exports: ['loop', 'nativeParallel'], native: 'kernels' } });
    expect(computation<any>({ name: 'least', variants: { loop, native: loop } }).variantNames).toHaveLength(
      2,
    );
  });

  it.each([{}, { run: 1 }, { run, threads: 0 }, { run, threads: 65 }, { run, threads: 1.5 }])(
    'refuse %o',
    (native) => {
      expect(() => make(native)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    },
  );
});

import { describe, expect, it } from 'vitest';
import { requireOptions } from '../../dist/options.js';

const refusal = (value: unknown, known?: string[] | Record<string, true>): string => {
  try {
    requireOptions('options of it', value, known);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
};

describe('requireOptions', () => {
  it('accepts known keys, and any where none are named', () => {
    expect(refusal({ threads: 2 }, ['threads'])).toBe('accepted');
    expect(refusal({ threads: 2 }, { threads: true, grain: true })).toBe('accepted');
    expect(refusal({ anything: 2 })).toBe('accepted');
  });

  it.each([null, undefined, 5, 'threads', ['threads']])('refuses %j', (value) => {
    expect(refusal(value, ['threads'])).toContain('options of it');
  });

  it('names the unknown key and the one that was probably meant', () => {
    const message = refusal({ thread: 2 }, ['grain', 'threads', 'schedule']);
    expect(message).toContain('"thread"');
    expect(message).toContain('"threads" (the nearest), or another of grain, schedule');
  });

  it('lists what there is where nothing is near', () => {
    expect(refusal({ colour: 2 }, ['grain', 'threads'])).toContain('keys of grain, threads');
  });

  it('takes no inherited name for a known one', () => {
    expect(refusal({ constructor: 2 }, { threads: true })).toContain('"constructor"');
  });
});

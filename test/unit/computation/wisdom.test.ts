import { describe, expect, it } from 'vitest';
import { computation } from '../../../dist/computation/computation.js';
import { exportWisdom, importWisdom } from '../../../dist/computation/wisdom.js';

const make = (name = 'w') =>
  computation({ name, variants: { a: (n: number) => n, b: (n: number) => n + 0 } });
const chosen = {
  kind: 'computation' as const,
  bySize: [
    { maxSize: 10, variant: 'a' },
    { maxSize: null, variant: 'b' },
  ],
};

describe('wisdom', () => {
  it('survives JSON and puts the choice in force', () => {
    const first = make();
    first.applyChoice(chosen);
    const text = JSON.stringify(exportWisdom([first]));
    const second = make();
    expect(importWisdom(JSON.parse(text), [second, make('other')])).toEqual({
      applied: ['w'],
      skipped: [{ computation: 'other', reason: 'nothing is known of it' }],
    });
    expect(second.choice).toEqual(chosen);
  });

  it.each([
    ['hostId', 'another host'],
    ['node', 'with Node x'],
    ['library', 'with version x'],
  ])('of another %s is not used', (key, reason) => {
    const wisdom = exportWisdom([make()]);
    const foreign = { ...wisdom, entries: wisdom.entries.map((entry) => ({ ...entry, [key]: 'x' })) };
    const subject = make();
    const { applied, skipped } = importWisdom(foreign, [subject]);
    expect(applied).toEqual([]);
    expect(skipped[0]!.reason).toContain(reason);
    // Kept beside one's own when it is added to.
    expect(exportWisdom([subject], foreign as any).entries).toHaveLength(2);
    expect(exportWisdom([subject], wisdom).entries).toHaveLength(1);
  });

  it('skips a choice that no longer fits, and refuses what is no wisdom', () => {
    const wisdom = exportWisdom([make()]);
    const gone = {
      ...wisdom,
      entries: [
        {
          ...wisdom.entries[0],
          choice: { kind: 'computation', bySize: [{ maxSize: null, variant: 'gone' }] },
        },
      ],
    };
    expect(importWisdom(gone, [make()]).skipped[0]!.reason).toMatch(/names the variant "gone"/);
    for (const bad of [null, {}, { kind: 'system-optimizer wisdom', version: 2, entries: [] }, 'text']) {
      expect(() => importWisdom(bad, [make()])).toThrow(/what exportWisdom\(\) gave/);
    }
  });
});

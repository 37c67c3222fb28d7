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
    const foreign = { ...wisdom, measured: wisdom.measured.map((place) => ({ ...place, [key]: 'x' })) };
    const subject = make();
    const { applied, skipped } = importWisdom(foreign, [subject]);
    expect(applied).toEqual([]);
    expect(skipped[0]!.reason).toContain(reason);
    // Kept beside one's own when it is added to.
    expect(exportWisdom([subject], foreign).measured.map(({ entries }) => entries.length)).toEqual([1, 1]);
    // Replaced where it is of the same place, beside the place's others.
    expect(exportWisdom([subject], wisdom).measured.map(({ entries }) => entries.length)).toEqual([1]);
    expect(exportWisdom([make('v')], wisdom).measured[0]!.entries.map((entry) => entry.computation)).toEqual([
      'w',
      'v',
    ]);
  });

  it('skips a choice that no longer fits, and refuses what is no wisdom', () => {
    const wisdom = exportWisdom([make()]);
    const gone = {
      ...wisdom,
      measured: [
        {
          ...wisdom.measured[0],
          entries: [
            {
              computation: 'w',
              choice: { kind: 'computation', bySize: [{ maxSize: null, variant: 'gone' }] },
            },
          ],
        },
      ],
    };
    expect(importWisdom(gone, [make()]).skipped[0]!.reason).toMatch(/names the variant "gone"/);
    for (const bad of [null, {}, { kind: 'system-optimizer wisdom', version: 1, entries: [] }, 'text']) {
      expect(() => importWisdom(bad, [make()])).toThrow(/what exportWisdom\(\) gave/);
    }
  });

  it('refuses what is no computation', () => {
    for (const bad of [undefined, make(), [1], [null], [undefined]]) {
      expect(() => exportWisdom(bad as any)).toThrow(/what computation\(\) gave/);
      expect(() => importWisdom(exportWisdom([make()]), bad as any)).toThrow(/what computation\(\) gave/);
    }
  });

  it('passes over what is broken in it', () => {
    const wisdom = exportWisdom([make()]);
    const place = wisdom.measured[0]!;
    const broken = (measured: unknown) => importWisdom({ ...wisdom, measured }, [make()]);
    for (const measured of [
      [],
      [null, 7, 'x'],
      [{ ...place, entries: 3 }],
      [{ ...place, entries: [null, 1, {}] }],
    ]) {
      expect(broken(measured)).toEqual({
        applied: [],
        skipped: [{ computation: 'w', reason: 'nothing is known of it' }],
      });
    }
    for (const choice of [
      undefined,
      null,
      7,
      { kind: 'computation' },
      { kind: 'computation', bySize: [null] },
    ]) {
      const { applied, skipped } = broken([{ ...place, entries: [{ computation: 'w', choice }] }]);
      expect(applied).toEqual([]);
      expect(skipped[0]!.reason).toContain('choice for computation "w"');
    }
    expect(broken([null, ...wisdom.measured]).applied).toEqual(['w']);
  });
});

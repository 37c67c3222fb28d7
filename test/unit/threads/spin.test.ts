/** When a thread spins, by how often it looks. The mailbox is a stand-in. */
import { describe, expect, it } from 'vitest';
import type { Mailbox } from '../../../dist/threads/mailbox.js';
import { forfeitToken, Spinner, spinTokens } from '../../../dist/threads/transport/spin.js';

const PLACE = 1;

function spinner({ tokens = spinTokens(1, 2) } = {}) {
  let looks = 0;
  /** At which look work is there. */
  let comesAt = Infinity;
  const mailbox = { rings: 0, wakeMs: 0.02 } as unknown as Mailbox;
  const one = new Spinner(mailbox, tokens, PLACE, () => ++looks >= comesAt);
  /** How often it looked while it waited for work that comes at a look, and whether it saw it. */
  const spin = (at: number): { looks: number; saw: boolean } => {
    looks = 0;
    comesAt = at;
    const saw = one.spin(0);
    return { looks, saw };
  };
  return { spin };
}

const NEVER = Infinity;

describe('a thread without work', () => {
  it('sees at once what is there already', () => {
    expect(spinner().spin(1)).toEqual({ looks: 1, saw: true });
  });

  it('spins for a while, and mostly does not where that was in vain', () => {
    const { spin } = spinner();
    const first = spin(NEVER);
    expect(first.saw).toBe(false);
    expect(first.looks).toBeGreaterThan(1);
    // Pauses double: even where each call came milliseconds after the last, most would fall into one.
    const spun = Array.from({ length: 200 }, () => spin(NEVER)).filter(({ looks }) => looks > 1);
    expect(spun.length).toBeLessThan(100);
  });

  it('leaves a CPU to the caller: no more spin than there are tokens, and a dead thread’s is free again', () => {
    const tokens = spinTokens(2, 2);
    const words = new Int32Array(tokens);
    expect(words).toHaveLength(1);
    words[0] = 8;
    const { spin } = spinner({ tokens });
    expect(spin(NEVER)).toEqual({ looks: 1, saw: false });
    forfeitToken(tokens, 7);
    expect(words[0]).toBe(0);
    expect(spin(NEVER).looks).toBeGreaterThan(1);
    expect(words[0]).toBe(0);
    expect(spinTokens(4, 1).byteLength).toBe(0);
  });
});

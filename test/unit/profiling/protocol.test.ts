import { describe, expect, it } from 'vitest';
import { lineReader } from '../../../dist/profiling/protocol.js';

describe('lineReader', () => {
  it('puts documents together that arrive in pieces, and takes several from one piece', () => {
    const seen: unknown[] = [];
    const read = lineReader(
      (message) => seen.push(message),
      () => seen.push('garbage'),
    );
    for (const piece of ['{"a":', '1', '}\n{"b":2}\n\n{"c"', ':3}\n']) read(piece);
    expect(seen).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }]);
  });

  it('ends the conversation at a line that is no document', () => {
    const seen: unknown[] = [];
    lineReader(
      (message) => seen.push(message),
      () => seen.push('garbage'),
    )('GET / HTTP/1.1\n{"a":1}\n');
    expect(seen).toEqual(['garbage']);
  });
});

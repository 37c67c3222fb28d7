/** Which lines of a text are told to go through memory out of order, and which to write to what threads share. */
import * as acorn from 'acorn';
import { describe, expect, it } from 'vitest';
import { findMemoryAccess } from '../../../dist/profiling/source/memory-access.js';
import { parseProgram } from '../../../dist/profiling/source/syntax.js';

const accessOf = (text: string) => findMemoryAccess(parseProgram(acorn, text)!);
/** The innermost statement of a loop, on a line of its own. */
const scattered = (head: string, body: string, before = '') =>
  accessOf(`${before}\n${head} {\n${body};\n}`).scatteredLines.has(3);

describe('elements visited out of the order of memory', () => {
  it.each([
    ['a column of a table', 'for (let r = 0; r < n; r += 1)', 'sum += table[r * width + c]'],
    ['a column by a shift', 'for (let r = 0; r < n; r++)', 'sum += table[(r << 10) | c]'],
    ['a column of rows', 'for (let r = 0; r < n; r++)', 'sum += rows[r][c]'],
    ['a list of indices', 'for (let i = 0; i < n; i++)', 'sum += table[order[i]]'],
    ['the values of a list', 'for (const at of order)', 'grid[at] += 1'],
    ['a stride', 'for (let i = 0; i < n; i += width)', 'sum += table[i]'],
    ['a list of indices, while there are any', 'while (queue.length > 0)', 'sum += table[queue[0]]'],
  ])('are seen: %s', (_what, head, body) => {
    expect(scattered(head, body)).toBe(true);
  });

  it.each([
    ['one after the other', 'for (let i = 0; i < n; i += 1)', 'sum += table[i]'],
    ['a row of a table', 'for (let c = 0; c < n; c += 1)', 'sum += table[r * width + c]'],
    ['a row of rows', 'for (let c = 0; c < n; c++)', 'sum += rows[r][c]'],
    ['fields of records beside each other', 'for (let i = 0; i < n; i++)', 'sum += points[i * 3 + 1]'],
    ['the same by a small step', 'for (let i = 0; i < n; i += 4)', 'sum += pixels[i]'],
    ['the values themselves', 'for (const value of values)', 'sum += value'],
    ['properties', 'for (const row of rows)', 'sum += row.total'],
  ])('are not: %s', (_what, head, body) => {
    expect(scattered(head, body)).toBe(false);
  });

  it('are none of a small width that the text gives', () => {
    const [head, body] = ['for (let r = 0; r < n; r++)', 'sum += table[r * WIDTH + 1]'];
    expect(scattered(head, body, 'const WIDTH = 4;')).toBe(false);
    expect(scattered(head, body, 'const WIDTH = 4096;')).toBe(true);
    expect(scattered(head, body, 'let WIDTH = 4; WIDTH = read();')).toBe(true);
  });

  it('are none outside loops, nor in functions that a loop only makes', () => {
    expect(accessOf('sum += table[order[i]];').scatteredLines.size).toBe(0);
    expect(scattered('for (let r = 0; r < n; r++)', 'list.push((c) => table[r * width + c])')).toBe(false);
  });
});

describe('writes to shared memory', () => {
  const writes = (text: string) => [...accessOf(text).sharedWriteLines];

  it('are Atomics that write, not those that read or wait', () => {
    expect(
      writes('Atomics.add(a, 0, 1);\nAtomics.load(a, 0);\nAtomics.wait(a, 0, 0);\nAtomics.store(a, 0, 2);'),
    ).toEqual([1, 4]);
  });

  it.each([
    'const cells = new Int32Array(new SharedArrayBuffer(8));',
    'const cells = new Int32Array(workerData.shared);Atomics;',
    'const cells = new Int32Array(memory, 128, 1);Atomics;',
    'class Counters { constructor(shared) { this.cells = new Int32Array(shared); Atomics; } }',
  ])('are elements of a view over a buffer: %s', (view) => {
    const owner = view.startsWith('class') ? 'this.' : '';
    expect(writes(`${view}\n${owner}cells[0] += 1;\n${owner}cells[1]++;\nread(${owner}cells[0]);`)).toEqual([
      2, 3,
    ]);
  });

  it('are none that go on through memory with their loop', () => {
    const view = 'const out = new Float64Array(shared);Atomics;';
    const looped = (body: string) => writes(`${view}\nfor (let i = from; i < to; i += 1) {\n${body};\n}`);
    expect(looped('out[i] = price(i)')).toEqual([]);
    expect(looped('Atomics.store(out, i, 1)')).toEqual([]);
    expect(looped('out[slot] += price(i)')).toEqual([3]);
    expect(looped('Atomics.add(counts, slot, i)')).toEqual([3]);
  });

  it('are none of the program’s own arrays, nor of buffers where nothing is shared', () => {
    expect(writes('const own = new Float64Array(n); Atomics;\nown[0] = 1;')).toEqual([]);
    expect(writes('const part = new Uint8Array(file, 0, 8);\npart[0] = 1;')).toEqual([]);
  });
});

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeInline, encodeInline, PayloadCodec } from '../../../dist/integration/bullmq/payload.js';
import { folderStore, noStore } from '../../../dist/integration/bullmq/payload-store.js';

/** As it comes out of a queue. */
const throughQueue = (value: unknown) =>
  decodeInline(JSON.parse(JSON.stringify(encodeInline(value))) as ReturnType<typeof encodeInline>);

describe('encodeInline', () => {
  it.each([[null], ['text \ud800 with a lone surrogate'], [{ a: [1, 2, { b: 'c' }], d: null }], [[]], [{}]])(
    'carries %j as JSON',
    (value) => {
      expect(encodeInline(value)).toEqual({ json: value });
      expect(throughQueue(value)).toEqual(value);
    },
  );

  it.each([
    ['undefined', undefined],
    ['-0', -0],
    ['NaN', NaN],
    ['a bigint', 12n],
    ['a Date', new Date(0)],
    ['a Map', new Map([[{ a: 1 }, new Set([2])]])],
    ['a typed array', new Float64Array([1.5, -0])],
    ['undefined in an object', { a: undefined }],
    ['a hole in an array', [1, , 3]],
    ['an array with a property', Object.assign([1], { name: 'x' })],
    ['an own __proto__', JSON.parse('{"__proto__": 1}')],
  ])('carries %s unchanged', (_, value) => {
    expect(encodeInline(value)).toHaveProperty('v8');
    expect(throughQueue(value)).toStrictEqual(value);
  });

  it('keeps cycles, shared objects and deep nesting', () => {
    const shared = { n: 1 };
    const cycle: Record<string, unknown> = { a: shared, b: shared };
    cycle.self = cycle;
    const copy = throughQueue(cycle) as Record<string, unknown>;
    expect(copy.self).toBe(copy);
    expect(copy.a).toBe(copy.b);
    let deep: unknown = 0;
    for (let i = 0; i < 500; i += 1) deep = [deep];
    expect(throughQueue(deep)).toEqual(deep);
  });

  it('refuses what cannot be cloned', () => {
    expect(() => encodeInline(() => 1)).toThrow(/could not be cloned/);
  });
});

describe('PayloadCodec', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sysopt-payloads-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const limits = { inlineBytes: 1_024, maxBytes: 10_000 };
  const owner = { what: 'Results', task: 'task "x"', key: 'job-1.results', keepMs: 60_000 } as const;

  it('stores what is larger than inlineBytes, by reference', async () => {
    const codec = new PayloadCodec(limits, folderStore(folder));
    expect(await codec.encode('x'.repeat(1_000), owner)).toHaveProperty('json');
    const payload = await codec.encode('x'.repeat(2_000), owner);
    expect(payload).toEqual({
      ref: expect.stringMatching(/^file:job-1\.results/) as string,
      sizeBytes: 2_011,
    });
    expect(await codec.decode(payload, owner)).toBe('x'.repeat(2_000));
    await codec.drop(payload);
    expect(readdirSync(folder)).toEqual([]);
    await expect(codec.decode(payload, owner)).rejects.toMatchObject({ code: 'PAYLOAD_LOST' });
  });

  it('says what is too large, and why', async () => {
    const codec = new PayloadCodec(limits, folderStore(folder));
    await expect(codec.encode('x'.repeat(20_000), owner)).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    });
    const without = new PayloadCodec(limits, noStore('there is no folder.'));
    await expect(without.encode('x'.repeat(2_000), owner)).rejects.toThrow(/only 1024 .* there is no folder/);
  });

  it('reads no file that a reference from the queue might name outside the folder', async () => {
    const store = folderStore(folder);
    expect(await store.get('file:../../etc/passwd')).toBeUndefined();
    expect(await store.get('file:..')).toBeUndefined();
  });

  it('writes no file outside the folder, whatever id a job has', async () => {
    const inner = join(folder, 'inner');
    const store = folderStore(inner);
    const reference = await store.put('../../evil.results', 'text', 60_000);
    expect(readdirSync(folder)).toEqual(['inner']);
    expect(readdirSync(inner)).toHaveLength(1);
    expect(await store.get(reference)).toBe('text');
    rmSync(inner, { recursive: true });
  });

  it('sweeps what has been kept long enough', async () => {
    const store = folderStore(folder);
    await store.put('old.results', 'x', -1);
    const kept = await store.put('new.arguments', 'x', 60_000);
    const others = ['foreign.txt', 'sales.2024.json'];
    for (const name of others) writeFileSync(join(folder, name), '');
    await store.sweep();
    expect(readdirSync(folder).sort()).toEqual([...others, kept.replace('file:', '')].sort());
  });
});

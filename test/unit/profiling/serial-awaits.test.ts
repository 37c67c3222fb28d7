import * as acorn from 'acorn';
import { describe, expect, it } from 'vitest';
import { findSerialAwaits } from '../../../dist/profiling/source/serial-awaits.js';

/** The names of the awaited calls that could run together with another. */
function serial(body: string): string[] {
  const text = `async function handler(id, ids, cursor) {\n${body}\n}`;
  return findSerialAwaits(acorn, text)
    .filter(({ shape }) => shape !== null)
    .map(
      ({ start, end, shape }) =>
        `${String(shape)} ${/await (?:\w+\.)*(\w+)/.exec(text.slice(start, end))![1]!}`,
    );
}

describe('awaits in a row', () => {
  it('are found where none needs what another gave', () => {
    expect(serial('const a = await loadUser(id); const b = await loadOrders(id); return [a, b];')).toEqual([
      'sequence loadUser',
      'sequence loadOrders',
    ]);
  });
  it('are found where they fill one object, by name or by item', () => {
    const named = 'const p = {}; p.user = await loadUser(id); p.orders = await loadOrders(id); return p;';
    expect(serial(named)).toEqual(['sequence loadUser', 'sequence loadOrders']);
    expect(serial('const p = {}; for (const id of ids) p[id] = await loadItem(id);')).toEqual([
      'loop loadItem',
    ]);
  });
  it.each([
    'return { user: await loadUser(id), orders: (await loadOrders(id)).rows };',
    'return [await loadUser(id), ...(await loadOrders(id))];',
    'return render(await loadUser(id), await loadOrders(id));',
    'const user = await loadUser(id), orders = await loadOrders(id); return [user, orders];',
  ])('are found where they are put together at once: %s', (body) => {
    expect(serial(body)).toEqual(['sequence loadUser', 'sequence loadOrders']);
  });
  it.each([
    'return { user: await loadUser(id), orders: id && (await loadOrders(id)) };',
    'const user = await loadUser(id), orders = await loadOrders(user.id); return orders;',
    'for (const some of ids) await Promise.all(some.map((one) => query(one)));',
  ])('are not found in %s', (body) => {
    expect(serial(body)).toEqual([]);
  });
  it('are not found where the second reads what the first filled in', () => {
    expect(serial('p.user = await loadUser(id); const b = await loadOrders(p.user.id);')).toEqual([]);
    expect(serial('p.user = await loadUser(id); const b = await p.loadOrders();')).toEqual([]);
    expect(serial('p.user = await loadUser(id); const b = await loadOrders(p);')).toEqual([]);
  });
  it('are found where a third lies between that belongs to the first', () => {
    const body =
      'const r = await fetch(a); const x = await r.json(); const s = await fetch(b); const y = await s.json();';
    expect(serial(body)).toContain('sequence fetch');
  });
  it.each([
    ['uses the first one’s result', 'const a = await loadUser(id); const b = await loadOrders(a.id);'],
    [
      'uses what was made of it',
      'const a = await loadUser(id); const k = a.key; const b = await loadOrders(k);',
    ],
    [
      'stands behind a check',
      'const a = await loadUser(id); if (!a) return null; const b = await loadOrders(id);',
    ],
    ['follows a change', 'await saveUser(id); const b = await loadOrders(id);'],
    ['follows a deliberate wait', 'await sleep(10); await sleep(10);'],
    ['stands alone', 'const a = await loadUser(id); return a;'],
    ['is already together', 'const [a, b] = await Promise.all([loadUser(id), loadOrders(id)]); return a;'],
  ])('are left alone where the second %s', (_why, body) => {
    expect(serial(body)).toEqual([]);
  });
});

describe('awaits in a loop', () => {
  it('are found where each round is about an item of its own', () => {
    expect(serial('for (const one of ids) { const row = await query(one); total += row.n; }')).toEqual([
      'loop query',
    ]);
    expect(serial('for (let i = 0; i < ids.length; i++) await query(ids[i]);')).toEqual(['loop query']);
  });
  it.each([
    [
      'a page leads to the next',
      'for (let p = 0; p < 9; p++) { const r = await query(p, cursor); cursor = r.next; }',
    ],
    ['the first hit ends it', 'for (const one of ids) { const r = await query(one); if (r) return r; }'],
    ['the same is tried again', 'for (let i = 0; i < 3; i++) { await query(id); }'],
    ['items arrive one by one', 'for await (const one of ids) { await query(one); }'],
    ['it waits for ever', 'while (true) { await query(id); }'],
  ])('are left alone where %s', (_why, body) => {
    expect(serial(body)).toEqual([]);
  });
});

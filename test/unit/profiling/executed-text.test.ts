import * as acorn from 'acorn';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { executedText } from '../../../dist/profiling/source/executed-text.js';
import { SourceIndex } from '../../../dist/profiling/source/source-index.js';

const SOURCE = `interface Order { readonly id: number; readonly body: string }

export function bodies(orders: readonly Order[]): unknown[] {
  const found: unknown[] = [];
  for (const { body } of orders) {
    found.push(JSON.parse(body) as unknown);
  }
  return found;
}
`;
// Type stripping is Node's own from 22.18 and 23.6 on.
const strips =
  'stripTypeScriptTypes' in nodeModule &&
  (process.features as { typescript?: unknown }).typescript === 'strip';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sysopt-executed-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the executed text', () => {
  it('is what stands in a file of JavaScript', () => {
    expect(executedText('/app/a.js', SOURCE)).toBe(SOURCE);
    expect(executedText('/app/a.mts.js', SOURCE)).toBe(SOURCE);
  });

  it.runIf(strips)('is TypeScript without its types, every place as it was, without a warning', async () => {
    const warnings: string[] = [];
    const listen = ({ message }: Error) => warnings.push(message);
    process.on('warning', listen);
    const text = executedText('/app/a.ts', SOURCE)!;
    await new Promise(setImmediate);
    process.off('warning', listen);
    expect(text).not.toContain('interface');
    expect(text.length).toBe(SOURCE.length);
    expect(text.indexOf('JSON.parse')).toBe(SOURCE.indexOf('JSON.parse'));
    expect(warnings).toEqual([]);
  });

  it.runIf(strips)('lets functions and operations of TypeScript be told', () => {
    const file = join(folder, 'orders.ts');
    writeFileSync(file, SOURCE);
    const index = new SourceIndex(acorn);
    const bodies = index.functionAt(file, 3, SOURCE.split('\n')[2]!.indexOf('bodies') + 1);
    expect(bodies).toMatchObject({ name: 'bodies', line: 3, endLine: 9 });
    expect(index.marks(file, 6, bodies).map(({ name }) => name)).toEqual(['JSON.parse']);
  });

  it.runIf(!strips)('is not known where Node does not strip types', () => {
    expect(executedText('/app/a.ts', SOURCE)).toBeNull();
  });

  it.runIf(strips)('is not known of what cannot be stripped', () => {
    expect(executedText('/app/a.cts', 'enum A { b }')).toBeNull();
    expect(executedText('/app/a.ts', 'this is no code')).toBeNull();
  });
});

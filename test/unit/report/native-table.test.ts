import { describe, expect, it } from 'vitest';
import { printNative } from '../../../dist/cli/print-native.js';
import { Terminal } from '../../../dist/cli/terminal.js';
import type { NativeFunction } from '../../../dist/model/signals.js';
import { renderHtml } from '../../../dist/report/html.js';
import { nativeFamilyText } from '../../../dist/report/native-table.js';
import { result } from './sample.js';

const row = (name: string, share: number, changes: Partial<NativeFunction> = {}): NativeFunction => ({
  name,
  module: 'node',
  family: 'json',
  share,
  samples: Math.round(share * 1000),
  ...changes,
});
const nativeFunctions = [
  row('longest_match', 0.02, { family: 'zlib' }),
  row('v8::internal::JsonParser<…>::ScanJsonString', 0.31),
  row('memmove', 0.019, { family: 'library', module: 'libc.so.6' }),
];

function printed(functions: readonly NativeFunction[] | undefined): string {
  let text = '';
  const out = { columns: 120, write: (piece: string) => (text += piece) };
  const terminal = new Terminal({ json: false, out, err: out, env: {} });
  printNative(terminal, { ...result, ...(functions && { nativeFunctions: functions }) });
  return text;
}

describe('native functions', () => {
  it('stand in the report by their share, from 2 % on', () => {
    const page = renderHtml({ results: [{ ...result, nativeFunctions }], profiles: [] });
    const section = /<section id="native"[\s\S]*?<\/section>/.exec(page)![0];
    const cells = [...section.matchAll(/<td>(?:<code>)?([^<]*)/g)].map((cell) => cell[1]);
    expect(cells).toEqual([
      ...['v8::internal::JsonParser&lt;…&gt;::ScanJsonString', 'JSON', 'node'],
      ...['longest_match', 'compression', 'node'],
    ]);
    expect(section).toContain('31 %');
  });

  it('are left out where none has that much', () => {
    for (const functions of [[], [row('memmove', 0.019)]]) {
      const page = renderHtml({ results: [{ ...result, nativeFunctions: functions }], profiles: [] });
      expect(page).not.toContain('id="native"');
      expect(printed(functions)).toBe('');
    }
    expect(printed(undefined)).toBe('');
  });

  it('stand on the terminal with what they are for', () => {
    const lines = printed(nativeFunctions).trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^v8::internal::JsonParser<…>::ScanJsonString +31 % +JSON +node$/);
    expect(lines[2]).toMatch(/^longest_match +2 % +compression +node$/);
  });

  it('of a family that a later version stored are shown by its name', () => {
    expect(nativeFamilyText('constructor' as 'json')).toBe('constructor');
    expect(nativeFamilyText('wasm' as 'json')).toBe('wasm');
  });
});

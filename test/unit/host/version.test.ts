import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { libraryVersion } from '../../../dist/host/version.js';

it('is that of package.json', () => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  expect(libraryVersion()).toBe((JSON.parse(text) as { version: string }).version);
});

import { readFileSync } from 'node:fs';

let version: string | undefined;

/** Version of this package, read from its package.json at first use. */
export function libraryVersion(): string {
  version ??= (
    JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  ).version;
  return version;
}

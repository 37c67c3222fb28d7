import { fail, describe } from '../errors.js';

/** What an id may look like: a type, then parts of letters and digits. No separator of any file system fits. */
const ID = /^[a-z][a-z0-9]*(?:-[A-Za-z0-9]+)+$/;
const MAX_LENGTH = 128;

/**
 * A new id, `<prefix>-<UUIDv7>`: ids of one prefix sort by the time they were made (RFC 9562, section 5.7).
 *
 * @param prefix what the id is of: an optimisation or profile type, or `recommendation`.
 * @throws INVALID_ARGUMENT for a prefix that is not lowercase letters and digits.
 *
 * @example
 * await newId('memory'); // 'memory-01932c07-209a-7edc-8f1b-…'
 */
export async function newId(prefix: string): Promise<string> {
  return (await idMaker())(prefix);
}

/** As `newId`, for callers that cannot wait when they need the id. */
export async function idMaker(): Promise<(prefix: string) => string> {
  const { v7 } = await import('uuid');
  return (prefix) => `${checkPrefix(prefix)}-${v7()}`;
}

function checkPrefix(prefix: string): string {
  if (!/^[a-z][a-z0-9]{0,31}$/.test(prefix)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'prefix',
      actual: describe(prefix),
      expected: 'lowercase letters and digits',
    });
  }
  return prefix;
}

export function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_LENGTH && ID.test(value);
}

/** @throws INVALID_ARGUMENT for anything that is no id, such as a path. */
export function checkId(value: unknown): string {
  if (isId(value)) return value;
  throw fail('INVALID_ARGUMENT', {
    name: 'id',
    actual: describe(value),
    expected: 'an id as it was stored, such as memory-01932c07-209a-7edc-8f1b-6f0d3a5c9e21',
  });
}

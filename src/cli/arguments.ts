import { InvalidArgumentError } from 'commander';
import { SEVERITIES, type Severity } from '../model/finding.js';

/** Parsers of option values. What they throw becomes a usage error that names the option. */

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/**
 * A length of time: `10` or `10s` (seconds), `500ms`, `2m`. Returns milliseconds.
 *
 * @param leastMs shortest allowed; 0 allows nothing at all, as for a warm-up.
 */
export function durationMs(leastMs: number, mostMs = 3_600_000): (text: string) => number {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m)?$/.exec(text.trim());
    const value = match === null ? NaN : Number(match[1]) * (UNITS[match[2] ?? 's'] ?? NaN);
    if (value >= leastMs && value <= mostMs) return value;
    throw new InvalidArgumentError(
      `Give a time from ${inWords(leastMs)} to ${inWords(mostMs)}: seconds, or with a unit as in 500ms, 10s, 2m.`,
    );
  };
}

function inWords(ms: number): string {
  return ms === 0 ? '0' : ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}

export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };
}

export function httpUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError('Give an http or https URL, such as http://127.0.0.1:3000/path.');
}

export function severity(text: string): Severity {
  const found = SEVERITIES.find((known) => known === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`Give one of ${SEVERITIES.join(', ')}.`);
}

/** A V8 or Node flag for `--try-flag`. */
export function nodeFlag(text: string): string {
  if (/^--[a-zA-Z][\w-]*(=.*)?$/.test(text)) return text;
  throw new InvalidArgumentError('Give a flag as node takes it, such as --max-semi-space-size=64.');
}

/** A list as JSON, for `--args`. */
export function jsonList(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
  } catch {
    // Said below, as for what is no list.
  }
  throw new InvalidArgumentError('Give a JSON list, such as \'[1000, "rows"]\'.');
}

/** What a module can export under by `export function`. */
export function exportName(text: string): string {
  if (/^[A-Za-z_$][\w$]*$/.test(text)) return text;
  throw new InvalidArgumentError('Give the name of an exported function, such as sumColumns.');
}

/** `NAME=value` for `--try-env`. */
export function environmentVariable(text: string): { readonly variable: string; readonly value: string } {
  const [, variable, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  if (variable !== undefined && value !== undefined) return { variable, value };
  throw new InvalidArgumentError('Give a name and a value, such as UV_THREADPOOL_SIZE=8.');
}

/** `a,b,c`, added to what was given before. */
export function names(text: string, before: readonly string[] = []): readonly string[] {
  const given = text.split(',').map((name) => name.trim());
  if (given.every((name) => name !== '')) return [...before, ...given];
  throw new InvalidArgumentError('Give names with commas between them.');
}

/** `NAME` or `NAME=value`, added to what was given before, as compilers take `-D`. */
export function definition(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z_]\w*)(?:=(.*))?$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Give a macro as NAME or NAME=value.');
  return { ...before, [name]: value ?? '1' };
}

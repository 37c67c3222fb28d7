/**
 * Wisdom: choices that were measured, to be taken along. FFTW's word for plans that are kept (Frigo & Johnson 2005).
 *
 * An entry counts only where it was measured: on the same host, Node version and version of this library. Each
 * measures something else, and a choice from elsewhere is a guess that looks like evidence. What an optimizer stores
 * in its folder needs none of this; wisdom is for services that start from an image and have no such folder.
 */
import { describe, fail } from '../errors.js';
import { hostKey } from '../host/host-key.js';
import { differenceBetween } from '../host/measured-on.js';
import { libraryVersion } from '../host/version.js';
import type { ComputationChoice } from '../model/choice.js';
import type { MeasuredOn } from '../model/config.js';
import type { Computation } from './computation.js';

/** Plain JSON. */
export interface Wisdom {
  readonly kind: 'system-optimizer wisdom';
  readonly version: 1;
  readonly entries: readonly WisdomEntry[];
}

export interface WisdomEntry {
  readonly computation: string;
  /** Where it was measured: a short name of the host, cheaper to find than the one that stored documents carry. */
  readonly hostId: string;
  readonly node: string;
  readonly library: string;
  readonly choice: ComputationChoice;
}

export interface WisdomImport {
  /** Names of the computations whose choice is now in force. */
  readonly applied: readonly string[];
  /** The others of those given, with the reason. */
  readonly skipped: readonly { readonly computation: string; readonly reason: string }[];
}

/**
 * What is in force for the given computations, keyed by where that was measured: here.
 *
 * @param earlier wisdom to add to, of other hosts say; entries for the same key are replaced.
 *
 * @example
 * writeFileSync('wisdom.json', JSON.stringify(exportWisdom([lookup, dedupe])));
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- computations of any functions
export function exportWisdom(computations: readonly Computation<any>[], earlier?: Wisdom): Wisdom {
  const key = keyHere();
  const own = computations.map(({ name, choice }) => ({ computation: name, ...key, choice }));
  const isReplaced = (entry: WisdomEntry) =>
    own.some(({ computation }) => computation === entry.computation) &&
    differenceBetween(entry, key) === null;
  const kept = earlier === undefined ? [] : entriesOf(earlier).filter((entry) => !isReplaced(entry));
  return { kind: 'system-optimizer wisdom', version: 1, entries: [...kept, ...own] };
}

/**
 * Puts what was measured here in force. A computation without an entry that fits keeps what it has.
 *
 * @throws INVALID_ARGUMENT for what is no wisdom.
 *
 * @example
 * importWisdom(JSON.parse(readFileSync('wisdom.json', 'utf8')), [lookup, dedupe]);
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
export function importWisdom(wisdom: unknown, computations: readonly Computation<any>[]): WisdomImport {
  // At a service's start all of this is code that never ran, which takes longer to compile than to run: what is seldom
  // needed stands in functions of its own.
  const entries = entriesOf(wisdom);
  const key = keyHere();
  const byName = new Map<string, WisdomEntry>();
  for (let i = 0; i < entries.length; i += 1) {
    const entry = entries[i]!;
    if (entry.hostId !== key.hostId || entry.node !== key.node || entry.library !== key.library) continue;
    if (!byName.has(entry.computation)) byName.set(entry.computation, entry);
  }
  const applied: string[] = [];
  const skipped: { computation: string; reason: string }[] = [];
  for (let i = 0; i < computations.length; i += 1) {
    const computation = computations[i] as Computation;
    const { name } = computation;
    const fitting = byName.get(name);
    const reason = fitting === undefined ? whyNot(name, entries, key) : refusalOf(computation, fitting);
    if (reason === null) applied.push(name);
    else skipped.push({ computation: name, reason });
  }
  return { applied, skipped };
}

/** Null where the choice is now in force. */
function refusalOf(computation: Computation, { choice }: WisdomEntry): string | null {
  try {
    computation.applyChoice(choice);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function whyNot(name: string, entries: readonly WisdomEntry[], key: MeasuredOn): string {
  const other = entries.findLast((entry) => entry.computation === name);
  return other === undefined ? 'nothing is known of it' : differenceBetween(other, key)!;
}

function keyHere(): MeasuredOn {
  return { hostId: hostKey(), node: process.version, library: libraryVersion() };
}

function entriesOf(wisdom: unknown): readonly WisdomEntry[] {
  const { kind, version, entries } = Object(wisdom) as Partial<Wisdom>;
  if (kind !== 'system-optimizer wisdom' || version !== 1 || !Array.isArray(entries)) throw noWisdom(wisdom);
  const given = entries as readonly unknown[];
  for (let i = 0; i < given.length; i += 1) if (!isEntry(given[i])) return given.filter(isEntry);
  return given as readonly WisdomEntry[];
}

function isEntry(entry: unknown): entry is WisdomEntry {
  return typeof entry === 'object' && entry !== null;
}

function noWisdom(wisdom: unknown): Error {
  return fail('INVALID_ARGUMENT', {
    name: 'wisdom',
    actual: describe(wisdom),
    expected: 'what exportWisdom() gave, version 1',
  });
}

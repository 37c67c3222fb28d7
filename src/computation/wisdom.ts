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
  readonly version: 2;
  readonly measured: readonly WisdomOfHost[];
}

/** What was measured in one place. Said once for all of it, because half of a service's start with wisdom was reading. */
export interface WisdomOfHost {
  /** A text of what the host is like, cheaper to find than the name that stored documents carry. */
  readonly hostId: string;
  readonly node: string;
  readonly library: string;
  readonly entries: readonly WisdomEntry[];
}

/** What one computation chose in one place, as `exportWisdom` writes it and `importWisdom` takes it. */
export interface WisdomEntry {
  /** Name of the computation. */
  readonly computation: string;
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
 * @throws INVALID_ARGUMENT for what is no computation, or no earlier wisdom.
 *
 * @param earlier wisdom to add to, of other hosts say; entries of this place for the same computations are replaced.
 *
 * @example
 * writeFileSync('wisdom.json', JSON.stringify(exportWisdom([lookup, dedupe])));
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- computations of any functions
export function exportWisdom(computations: readonly Computation<any>[], earlier?: Wisdom): Wisdom {
  requireComputations(computations);
  const here = placeHere();
  const own = computations.map(({ name, choice }) => ({ computation: name, choice }));
  const others: WisdomOfHost[] = [];
  let kept: readonly WisdomEntry[] = [];
  for (const place of earlier === undefined ? [] : placesOf(earlier)) {
    if (differenceBetween(place, here) === null) kept = [...kept, ...place.entries];
    else others.push(place);
  }
  kept = kept.filter((entry) => !own.some(({ computation }) => computation === entry.computation));
  const measured = [...others, { ...here, entries: [...kept, ...own] }];
  return { kind: 'system-optimizer wisdom', version: 2, measured };
}

/**
 * Puts what was measured here in force. A computation without an entry that fits keeps what it has.
 *
 * @throws INVALID_ARGUMENT for what is no wisdom, or no computation.
 *
 * @example
 * importWisdom(JSON.parse(readFileSync('wisdom.json', 'utf8')), [lookup, dedupe]);
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
export function importWisdom(wisdom: unknown, computations: readonly Computation<any>[]): WisdomImport {
  // At a service's start all of this is code that never ran, which takes longer to compile than to run: what is seldom
  // needed stands in functions of its own, and what always is, here.
  const { kind, version, measured } = Object(wisdom) as Partial<Wisdom>;
  if (kind !== 'system-optimizer wisdom' || version !== 2 || !Array.isArray(measured)) throw noWisdom(wisdom);
  requireComputations(computations);
  const places = measured as readonly Partial<WisdomOfHost | null | undefined>[];
  const hostId = hostKey();
  const byName = new Map<unknown, WisdomEntry>();
  for (let i = 0; i < places.length; i += 1) {
    const place = places[i];
    if (place?.hostId !== hostId || place.node !== process.version || place.library !== libraryVersion())
      continue;
    const { entries } = place;
    if (!Array.isArray(entries)) continue;
    for (let j = 0; j < entries.length; j += 1) {
      const entry = entries[j] as WisdomEntry | null | undefined;
      if (entry) byName.set(entry.computation, entry);
    }
  }
  const applied: string[] = [];
  const skipped: { computation: string; reason: string }[] = [];
  for (let i = 0; i < computations.length; i += 1) {
    const computation = computations[i]!;
    const { name } = computation;
    const fitting = byName.get(name);
    if (fitting === undefined) {
      skipped.push({ computation: name, reason: whyNot(name, wisdom) });
      continue;
    }
    try {
      computation.applyChoice(fitting.choice);
      applied.push(name);
    } catch (error) {
      skipped.push({ computation: name, reason: (error as Error).message });
    }
  }
  return { applied, skipped };
}

function whyNot(name: string, wisdom: unknown): string {
  const other = placesOf(wisdom).findLast(({ entries }) =>
    entries.some(({ computation }) => computation === name),
  );
  return other === undefined ? 'nothing is known of it' : differenceBetween(other, placeHere())!;
}

function placeHere(): MeasuredOn {
  return { hostId: hostKey(), node: process.version, library: libraryVersion() };
}

/** Without what is none. @throws INVALID_ARGUMENT for what is no wisdom. */
function placesOf(wisdom: unknown): WisdomOfHost[] {
  const { kind, version, measured } = Object(wisdom) as Partial<Wisdom>;
  if (kind !== 'system-optimizer wisdom' || version !== 2 || !Array.isArray(measured)) throw noWisdom(wisdom);
  return (measured as readonly unknown[])
    .filter((place): place is WisdomOfHost => Array.isArray((place as Partial<WisdomOfHost> | null)?.entries))
    .map((place) => ({ ...place, entries: place.entries.filter((entry: unknown) => Boolean(entry)) }));
}

/** @throws INVALID_ARGUMENT */
function requireComputations(given: unknown): void {
  const list: readonly unknown[] | undefined = Array.isArray(given) ? given : undefined;
  if (list?.some(isNone) === false) return;
  const actual = list ? `an array with ${describe(list.find(isNone))} in it` : describe(given);
  const expected = 'an array of what computation() gave';
  throw fail('INVALID_ARGUMENT', { name: 'computations', actual, expected });
}

const isNone = (each: unknown) =>
  typeof (each as Partial<Computation> | null | undefined)?.applyChoice !== 'function';

function noWisdom(wisdom: unknown): Error {
  return fail('INVALID_ARGUMENT', {
    name: 'wisdom',
    actual: describe(wisdom),
    expected: 'what exportWisdom() gave, version 2',
  });
}

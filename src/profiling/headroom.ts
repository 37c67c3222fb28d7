/**
 * How much the heap may still grow before V8 ends the program, so that a profile is never the reason.
 *
 * What a profile costs the program's own heap: V8 hands its profiles over as text and objects (some megabytes), and
 * naming functions takes the syntax trees of their files (about forty times the text). The sampling itself lies outside
 * the heap. Each of these is left out, and said to be, where it could be what fills the old generation.
 *
 * V8 counts three semi-spaces into the limit that it reports, and gives up when the old generation alone cannot grow, so
 * the limit is taken without them. Garbage counts as used: what a collection would free is not known before it.
 */
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { unavailable, type UnavailableMetric } from '../model/metric.js';
import { formatBytes } from '../units.js';

const MIB = 1024 ** 2;
/** Three semi-spaces of 16 MiB, as 64-bit V8 has them by default; with smaller ones more room is left than is said. */
const YOUNG_BYTES = 48 * MIB;
/** Where so small a part of the limit would be left for the old generation, the semi-spaces are smaller. */
const LEAST_OLD_SHARE = 0.25;
const YOUNG_SPACES: ReadonlySet<string> = new Set(['new_space', 'new_large_object_space']);

/** What a profile needs to begin: its answer, its analysis, and what the program adds meanwhile. */
export const HEADROOM_TO_START = 12 * MIB;
/** What is left alone in any case: below it what was gathered is given up rather than read out. */
export const HEADROOM_TO_READ = 7 * MIB;
/** What the profiler's own modules need to load into a program that runs: they stay with 3 MiB. */
export const HEADROOM_TO_LOAD = 8 * MIB;
/** Bytes of heap that one of a source file takes while it is parsed and looked through. */
const SYNTAX_FACTOR = 50;

/** Bytes that the old generation may still grow by. */
export function headroomBytes(): number {
  const { heap_size_limit: limit } = getHeapStatistics();
  let used = 0;
  for (const { space_name: name, space_used_size: size } of getHeapSpaceStatistics())
    if (!YOUNG_SPACES.has(name)) used += size;
  return Math.max(limit * LEAST_OLD_SHARE, limit - YOUNG_BYTES) - used;
}

/** Whether a source file of this size can be parsed beside what has to be left alone. */
export function hasRoomToParse(sizeBytes: number): boolean {
  return headroomBytes() > HEADROOM_TO_READ / 2 + sizeBytes * SYNTAX_FACTOR;
}

/**
 * `headroomBytes` of a program that none of our files is loaded into, as an expression.
 *
 * @param load expression of a function that gives a built-in module by its name.
 */
export function headroomExpression(load: string): string {
  return `((v8) => {
    const limit = v8.getHeapStatistics().heap_size_limit;
    const old = v8.getHeapSpaceStatistics().filter(({ space_name: name }) => !${JSON.stringify([...YOUNG_SPACES])}.includes(name));
    const used = old.reduce((sum, space) => sum + space.space_used_size, 0);
    return Math.max(limit * ${LEAST_OLD_SHARE}, limit - ${YOUNG_BYTES}) - used;
  })(${load}('v8'))`;
}

/** Why a measurement that the heap had no room for is missing. */
export function noHeadroom(what: string, leftBytes: number): UnavailableMetric {
  return unavailable(
    'HEAP_TOO_FULL',
    `${what} was left out: the heap could grow by ${formatBytes(Math.max(0, leftBytes))} before its limit, and the profile itself might have ended the program.`,
    'Profile with a higher limit: --max-old-space-size.',
  );
}

/**
 * Takes moves back out of an arrangement that lines, hot fields or writers have shaped.
 *
 * Method: hill climbing over arrangements. A step takes one field to another place, exchanges two fields, exchanges
 * two runs of lines or moves the bound between two, and is kept when the aims, compared in their order, get better; so
 * nothing that counts more than moves is ever given up for them. The effort is capped, so that defining a type stays
 * quick. Up to seven fields (five where lines matter) every arrangement is tried instead, and the answer is exact.
 * Above, against exhaustive search over six fields on lines, one plan in twelve has a move too many and all else is as
 * good.
 *
 * Rejected: the exact search of layout-moves.ts, whose states know offsets but not which fields share a line.
 */
import type { Arrangement } from './layout-lines.js';
import { movedIn } from './layout-moves.js';

interface Extent {
  readonly sizeBytes: number;
  readonly alignBytes: number;
}

/** What the search is judged by. Indices stand for fields. */
export interface AimInput {
  readonly fields: readonly Extent[];
  /** Of the record. */
  readonly alignBytes: number;
  readonly line: number;
  readonly hot: readonly number[];
  readonly groups: readonly (readonly number[])[];
}

/** Fields placed at most, over all arrangements: some milliseconds. */
const EFFORT = 40_000;
/** Up to here all arrangements can be tried: 5,040 orders of seven; 120 of five with 16 ways to begin lines. */
const FEW_FIELDS = 7;
const FEW_FIELDS_ON_LINES = 5;

/**
 * What an arrangement reaches, the most important figure first, each the better the smaller: lines that different
 * writers share; size; lines under the hot fields; lines in which a hot field begins (of a field larger than a line
 * that is the one an access of its first elements touches); the lines under them on average over an array; fields
 * across two lines, where records start on a line; moves.
 */
export function aimsOf(input: AimInput, { order, lineStarts }: Arrangement): number[] {
  const { fields, alignBytes, line, hot, groups } = input;
  const offsets = new Float64Array(fields.length);
  const isOnLine = alignBytes % line === 0;
  let end = 0;
  let straddling = 0;
  for (const index of order) {
    const { sizeBytes, alignBytes: align } = fields[index] as Extent;
    const step = lineStarts.has(index) ? Math.max(line, align) : align;
    const at = Math.ceil(end / step) * step;
    offsets[index] = at;
    end = at + sizeBytes;
    if (isOnLine && sizeBytes > 0 && sizeBytes <= line && firstLine(at) !== firstLine(end - 1))
      straddling += 1;
  }
  const size = Math.ceil(end / alignBytes) * alignBytes;

  function firstLine(at: number): number {
    return Math.floor(at / line);
  }
  /** Lines under some fields of a record that starts at `base`. */
  function linesUnder(indices: readonly number[], base: number): Set<number> {
    const lines = new Set<number>();
    for (const index of indices) {
      const bytes = (fields[index] as Extent).sizeBytes;
      if (bytes === 0) continue;
      const start = base + (offsets[index] as number);
      for (let at = firstLine(start); at <= firstLine(start + bytes - 1); at += 1) lines.add(at);
    }
    return lines;
  }

  let mean = 0;
  if (hot.length > 0 && size > 0) {
    let base = 0;
    let starts = 0;
    do {
      mean += linesUnder(hot, base).size;
      starts += 1;
      base = (base + size) % line;
    } while (base !== 0);
    mean /= starts;
  }
  const writersOf = new Map<number, number>();
  if (groups.length > 1) {
    for (const group of groups) {
      for (const at of linesUnder(group, 0)) writersOf.set(at, (writersOf.get(at) ?? 0) + 1);
    }
  }
  return [
    [...writersOf.values()].filter((count) => count > 1).length,
    size,
    hot.length === 0 ? 0 : linesUnder(hot, 0).size,
    new Set(hot.map((index) => firstLine(offsets[index] as number))).size,
    mean,
    straddling,
    movedIn(order).length,
  ];
}

/** Whether `a` comes before `b` in the order of aims. */
export function isBetter(a: readonly number[], b: readonly number[]): boolean {
  const first = a.findIndex((value, k) => value !== b[k]);
  return first >= 0 && (a[first] as number) < (b[first] as number);
}

/**
 * The best arrangement of all where there are few fields; beyond, the best that steps of one or two fields lead to from any of
 * the candidates.
 */
export function withFewerMoves(input: AimInput, candidates: readonly Arrangement[]): Arrangement {
  const count = input.fields.length;
  // Elsewhere a field that begins on a line only because it should is padding in front of it.
  const usesLines = input.alignBytes % input.line === 0;
  const reached =
    count <= (usesLines ? FEW_FIELDS_ON_LINES : FEW_FIELDS)
      ? [...everyArrangement(count, usesLines)].map((each) => judge(input, each))
      : candidates.map((each) => climb(input, each, EFFORT / candidates.length));
  return reached.reduce((a, b) => (isBetter(b.aims, a.aims) ? b : a)).arrangement;
}

interface Judged {
  readonly arrangement: Arrangement;
  readonly aims: readonly number[];
}

function judge(input: AimInput, arrangement: Arrangement): Judged {
  return { arrangement, aims: aimsOf(input, arrangement) };
}

function climb(input: AimInput, start: Arrangement, effort: number): Judged {
  let best = judge(input, start);
  let left = effort;
  for (;;) {
    let found: Judged | undefined;
    for (const next of neighbours(best.arrangement)) {
      if ((left -= input.fields.length) < 0) return best;
      const judged = judge(input, next);
      if (!isBetter(judged.aims, best.aims)) continue;
      found = judged;
      break;
    }
    if (found === undefined) return best;
    best = found;
  }
}

/** Every order, and with each every set of fields that begin a line where that can be of use. */
function* everyArrangement(count: number, usesLines: boolean): Generator<Arrangement> {
  for (const order of permutations(Array.from({ length: count }, (_, index) => index))) {
    for (let mask = 0; mask < (usesLines ? 2 ** (count - 1) : 1); mask += 1) {
      yield { order, lineStarts: new Set(order.filter((_, at) => at > 0 && (mask & (1 << (at - 1))) !== 0)) };
    }
  }
}

function permutations(indices: readonly number[]): number[][] {
  if (indices.length <= 1) return [[...indices]];
  return indices.flatMap((index) =>
    permutations(indices.filter((each) => each !== index)).map((rest) => [index, ...rest]),
  );
}

/** Runs of fields: each but the first begins on a line. */
type Runs = readonly (readonly number[])[];

function* neighbours(arrangement: Arrangement): Generator<Arrangement> {
  const runs = runsOf(arrangement);
  // Whole runs first: one step that takes many fields back.
  for (let a = 0; a < runs.length; a += 1) {
    for (let b = a + 1; b < runs.length; b += 1) {
      yield arrangementOf(runs.with(a, runs[b] as number[]).with(b, runs[a] as number[]));
    }
  }
  for (let r = 1; r < runs.length; r += 1) {
    const both = [...(runs[r - 1] as number[]), ...(runs[r] as number[])];
    for (let at = 1; at <= both.length; at += 1) {
      yield arrangementOf(runs.toSpliced(r - 1, 2, both.slice(0, at), both.slice(at)));
    }
  }
  const moved = movedIn(arrangement.order);
  for (const index of moved) {
    const without = runs.map((run) => run.filter((each) => each !== index));
    for (let r = 0; r < without.length; r += 1) {
      const run = without[r] as number[];
      for (let at = 0; at <= run.length; at += 1) {
        yield arrangementOf(without.with(r, run.toSpliced(at, 0, index)));
      }
      yield arrangementOf(without.toSpliced(r, 0, [index]));
    }
    yield arrangementOf([...without, [index]]);
  }
  for (const index of moved) {
    for (const other of arrangement.order) {
      if (other === index) continue;
      yield arrangementOf(
        runs.map((run) => run.map((each) => (each === index ? other : each === other ? index : each))),
      );
    }
  }
}

function runsOf({ order, lineStarts }: Arrangement): number[][] {
  const runs: number[][] = [];
  for (const index of order) {
    if (runs.length === 0 || lineStarts.has(index)) runs.push([]);
    (runs.at(-1) as number[]).push(index);
  }
  return runs;
}

function arrangementOf(runs: Runs): Arrangement {
  const used = runs.filter((run) => run.length > 0);
  return { order: used.flat(), lineStarts: new Set(used.slice(1).map((run) => run[0] as number)) };
}

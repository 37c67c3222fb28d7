/**
 * Plans where the fields of a record go. A pure function: the same fields and options give the same layout.
 *
 * Fields of different writers never lie on one line, which may add padding, and nothing else does. Aims, in this order:
 *   1. the smallest size (reached in closed form: sizes of C types are multiples of their alignment);
 *   2. hot fields on the fewest cache lines, and beginning in the fewest (of a hot field larger than a line, its first
 *      elements lie with the other hot fields);
 *   3. in records that start on a line, no field of up to a line's size across two;
 *   4. the fewest moves from the declared order, so that a person recognises the struct.
 * Several candidate orders are made, each good at one aim; moves that no aim needs are taken back, and the best in this
 * order of aims is taken.
 */
import { describe, fail } from '../errors.js';
import type { StructPacking } from '../model/choice.js';
import { isPowerOfTwo, requireInteger, requireOneOf, roundUp } from './arguments.js';
import { requireOptions } from '../options.js';
import { endOf, fewestMoves, movedIn, smallestEnd } from './layout-moves.js';
import { withFewerMoves } from './layout-fewer-moves.js';
import { declaredOnLines, separateWriters, wholeLines, type Arrangement } from './layout-lines.js';

/** A field by its extent, or by a type that knows it (`u32`, `array(f32, 3)`, a struct type). */
export type LayoutField =
  | { readonly name: string; readonly sizeBytes: number; readonly alignBytes: number }
  | { readonly name: string; readonly type: { readonly sizeBytes: number; readonly alignBytes: number } };

export interface PlanOptions {
  /**
   * - `minimal_padding` (default): reordered to the smallest size.
   * - `cache_line`: as that, and every record starts on a cache line.
   * - `declared`: as C would lay the fields out.
   */
  readonly structPacking?: StructPacking;
  /** Names of the fields that most accesses touch. Ignored by `declared`. */
  readonly hot?: readonly string[];
  /** Accesses per field. Without `hot`, the most accessed fields that together make 90 % are the hot ones. */
  readonly frequencies?: Readonly<Record<string, number>>;
  /**
   * Fields by the thread or role that writes them. Groups get lines of their own; fields in no group may share a
   * line with any. Ignored by `declared`.
   */
  readonly writers?: Readonly<Record<string, readonly string[]>> | readonly (readonly string[])[];
  /** 64 (default) or 128, where lines are fetched in pairs. */
  readonly cacheLineBytes?: 64 | 128;
}

export interface PlacedField {
  readonly name: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly alignBytes: number;
  /** Number of the line in which the field begins, in a record that starts on a line. */
  readonly cacheLine: number;
}

export interface Layout {
  /** `sizeof` in C: a multiple of `alignBytes`, padding at the end included. */
  readonly sizeBytes: number;
  /** From one record of an array to the next; equal to `sizeBytes`. */
  readonly strideBytes: number;
  readonly alignBytes: number;
  readonly paddingBytes: number;
  /** In order of offset. */
  readonly fields: readonly PlacedField[];
}

export interface LayoutPlan extends Layout {
  readonly packing: StructPacking;
  readonly cacheLineBytes: 64 | 128;
  /** Fewest fields that a person would have to move to come from the declared order to this one. */
  readonly moves: number;
  /** Their names. */
  readonly moved: readonly string[];
  readonly declared: Layout;
  readonly savings: {
    /** Bytes a record; negative where `cache_line` or writer groups add padding. */
    readonly sizeBytes: number;
    readonly paddingBytes: number;
    /** Of the declared size, 0 to 1. */
    readonly share: number;
  };
  readonly hot: readonly string[];
  /** Lines that the hot fields lie on in a record that starts on a line; null without hot fields. */
  readonly hotLines: number | null;
  /** The same over the records of an array, whose starts move against the lines. */
  readonly meanHotLines: number | null;
  /** Fields of up to a line's size that lie across two lines, in a record that starts on a line. */
  readonly straddlingFields: readonly string[];
  /** Lines on which fields of different writers meet; 0 unless `declared`. */
  readonly sharedWriterLines: number;
}

interface Extent {
  readonly name: string;
  readonly sizeBytes: number;
  readonly alignBytes: number;
}

interface Request {
  readonly fields: readonly Extent[];
  readonly packing: StructPacking;
  readonly line: 64 | 128;
  /** Indices. */
  readonly hot: readonly number[];
  readonly groups: readonly (readonly number[])[];
}

/** What the options may hold; the compiler compares it with them. */
const OPTION_KEYS: Readonly<Record<keyof PlanOptions, true>> = {
  structPacking: true,
  hot: true,
  frequencies: true,
  writers: true,
  cacheLineBytes: true,
};
const HOT_SHARE = 0.9;
const MAX_FIELD_BYTES = 2 ** 31;

/**
 * @throws INVALID_ARGUMENT for fields without a proper size or alignment, duplicate names, names in `hot`,
 *   `frequencies` or `writers` that are no field or stand in two groups, and unknown options.
 *
 * @example
 * const plan = planLayout(
 *   [{ name: 'flag', type: u8 }, { name: 'price', type: f64 }, { name: 'side', type: u8 }],
 *   { structPacking: 'minimal_padding' },
 * );
 * plan.sizeBytes;          // 16, where the declared order takes 24
 */
export function planLayout(fields: readonly LayoutField[], options: PlanOptions = {}): LayoutPlan {
  const request = readRequest(fields, options);
  const declaredOrder = request.fields.map((_, index) => index);
  const declared = place(request, { order: declaredOrder, lineStarts: new Set() }, false);
  const best = assess(request, bestOf(request, candidates(request)));
  const { layout, arrangement } = best;
  const moved = movedIn(arrangement.order).map((index) => (request.fields[index] as Extent).name);
  return {
    ...layout,
    packing: request.packing,
    cacheLineBytes: request.line,
    moves: moved.length,
    moved,
    declared,
    savings: {
      sizeBytes: declared.sizeBytes - layout.sizeBytes,
      paddingBytes: declared.paddingBytes - layout.paddingBytes,
      share: declared.sizeBytes === 0 ? 0 : (declared.sizeBytes - layout.sizeBytes) / declared.sizeBytes,
    },
    hot: request.hot.map((index) => (request.fields[index] as Extent).name),
    hotLines: best.hotLines,
    meanHotLines: best.meanHotLines,
    straddlingFields: best.straddling,
    sharedWriterLines: best.sharedWriterLines,
  };
}

const A_FIELD = '{ name, sizeBytes, alignBytes } or { name, type }';

// --- Reading the request -----------------------------------------------------------------------------------

function readRequest(given: readonly LayoutField[], options: PlanOptions): Request {
  if (!Array.isArray(given) || given.length === 0) {
    throw fail('INVALID_ARGUMENT', {
      name: 'fields',
      actual: Array.isArray(given) ? 'empty' : describe(given),
      expected: `an array of ${A_FIELD}`,
    });
  }
  requireOptions('planLayout options', options, OPTION_KEYS);
  const index = new Map<string, number>();
  const fields = (given as readonly LayoutField[]).map((field, position) => {
    if (typeof field !== 'object' || (field as unknown) === null) {
      throw fail('INVALID_ARGUMENT', {
        name: `fields[${position}]`,
        actual: describe(field),
        expected: A_FIELD,
      });
    }
    const extent: unknown = 'type' in field ? field.type : field;
    if (typeof extent !== 'object' || extent === null) {
      throw fail('INVALID_ARGUMENT', {
        name: `fields[${position}].type`,
        actual: describe(extent),
        expected: 'a field type such as f64, which is imported, or { sizeBytes, alignBytes }',
      });
    }
    const { sizeBytes, alignBytes } = extent as { readonly sizeBytes: number; readonly alignBytes: number };
    const { name } = field;
    if (typeof name !== 'string' || name === '' || index.has(name)) {
      throw fail('INVALID_ARGUMENT', {
        name: `fields[${position}].name`,
        actual: describe(name),
        expected: 'a name that no other field has',
      });
    }
    requireInteger(`sizeBytes of field "${name}"`, sizeBytes, 0, MAX_FIELD_BYTES);
    requireInteger(`alignBytes of field "${name}"`, alignBytes, 1, 4096);
    if (!isPowerOfTwo(alignBytes)) {
      throw fail('INVALID_ARGUMENT', {
        name: `alignBytes of field "${name}"`,
        actual: describe(alignBytes),
        expected: 'a power of two',
      });
    }
    index.set(name, position);
    return { name, sizeBytes, alignBytes };
  });
  const find = (name: string, where: string): number => {
    const position = index.get(name);
    if (position !== undefined) return position;
    throw fail('INVALID_ARGUMENT', {
      name: where,
      actual: describe(name),
      expected: `names of fields: ${[...index.keys()].slice(0, 12).join(', ')}`,
    });
  };
  const packing = requireOneOf('structPacking', options.structPacking ?? 'minimal_padding', [
    'minimal_padding',
    'cache_line',
    'declared',
  ]);
  return {
    fields,
    packing,
    line: requireOneOf('cacheLineBytes', options.cacheLineBytes ?? 64, [64, 128]),
    hot: [...new Set(hotNames(options, find).map((name) => find(name, 'hot')))],
    groups: readGroups(options.writers, find),
  };
}

function hotNames(
  { hot, frequencies }: PlanOptions,
  find: (name: string, where: string) => number,
): readonly string[] {
  return hot === undefined ? hottest(frequencies, find) : requireNames('hot', hot);
}

function requireNames(name: string, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value as readonly string[];
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected: 'an array of names of fields' });
}

/** The fewest fields that take `HOT_SHARE` of all accesses. */
function hottest(
  frequencies: PlanOptions['frequencies'],
  find: (name: string, where: string) => number,
): string[] {
  if (frequencies === undefined) return [];
  requireOptions('frequencies', frequencies);
  const entries = Object.entries(frequencies).map(([name, count]) => {
    find(name, 'frequencies');
    if (typeof count !== 'number' || !(count >= 0) || count === Infinity) {
      throw fail('INVALID_ARGUMENT', {
        name: `frequencies.${name}`,
        actual: describe(count),
        expected: 'a number of accesses',
      });
    }
    return { name, count };
  });
  entries.sort((a, b) => b.count - a.count);
  const total = entries.reduce((sum, { count }) => sum + count, 0);
  const hot: string[] = [];
  let covered = 0;
  let last = 0;
  for (const { name, count } of entries) {
    // Fields that are used as often as the last hot one are as hot.
    if (count === 0 || (covered >= HOT_SHARE * total && count < last)) break;
    hot.push(name);
    covered += count;
    last = count;
  }
  return hot;
}

function readGroups(
  writers: PlanOptions['writers'],
  find: (name: string, where: string) => number,
): number[][] {
  if (writers === undefined) return [];
  if (!Array.isArray(writers)) requireOptions('writers', writers);
  const taken = new Set<number>();
  return Object.entries(writers)
    .map(([writer, names]: [string, unknown]) =>
      requireNames(`writers.${writer}`, names).map((name) => {
        const position = find(name, 'writers');
        if (taken.has(position)) {
          throw fail('INVALID_ARGUMENT', {
            name: 'writers',
            actual: `naming "${name}" twice`,
            expected: 'each field in one group at most',
          });
        }
        taken.add(position);
        return position;
      }),
    )
    .filter((group) => group.length > 0);
}

// --- Candidates --------------------------------------------------------------------------------------------

function candidates(request: Request): Arrangement[] {
  const { fields, packing, hot, groups, line } = request;
  const declared = fields.map((_, index) => index);
  const plain = (order: number[]): Arrangement => ({ order, lineStarts: new Set() });
  if (packing === 'declared') return [plain(declared)];
  if (groups.length > 1) {
    return [separateWriters(fields, groups, hot, line), declaredOnLines(fields, groups, line)];
  }

  const alignBytes = recordAlign(request);
  const smallest = smallestEnd(fields, alignBytes);
  const found = [plain(fewestMoves(fields, smallest, alignBytes) ?? declared)];
  if (hot.length > 0 && hot.length < fields.length) found.push(...hotFirst(request, smallest).map(plain));
  if (packing === 'cache_line') {
    found.push(wholeLines(fields, hot, line), declaredOnLines(fields, groups, line));
  }
  return found;
}

/** Hot fields in front without holes; the others behind them with the fewest moves among themselves. */
function hotFirst(request: Request, smallest: number): number[][] {
  const { fields, hot } = request;
  const alignBytes = recordAlign(request);
  const hotInOrder = hot.toSorted((a, b) => a - b);
  const isHot = new Set(hot);
  const cold = fields.map((_, index) => index).filter((index) => !isHot.has(index));
  const extentsOf = (indices: readonly number[]) => indices.map((index) => fields[index] as Extent);
  const hotExtents = extentsOf(hotInOrder);
  const coldExtents = extentsOf(cold);
  const tightest = smallestEnd(hotExtents, 1);
  const fronts = [
    fewestMoves(hotExtents, tightest, 1),
    // Ascending alignment: ends on the widest boundary, where the cold fields may need that.
    hotExtents
      .map((_, i) => i)
      .toSorted((a, b) => (hotExtents[a] as Extent).alignBytes - (hotExtents[b] as Extent).alignBytes),
  ];
  const orders: number[][] = [];
  for (const front of fronts) {
    if (front === undefined) continue;
    const start = endOf(hotExtents, front);
    const back =
      fewestMoves(coldExtents, smallest, alignBytes, start) ??
      fewestMoves(coldExtents, smallestEnd(coldExtents, alignBytes, start), alignBytes, start);
    if (back === undefined) continue;
    orders.push([...front.map((i) => hotInOrder[i] as number), ...back.map((i) => cold[i] as number)]);
  }
  return orders;
}

/** The best of the candidates, with the moves taken back that no aim needs. */
function bestOf(request: Request, found: readonly Arrangement[]): Arrangement {
  const { fields, packing, hot, groups, line } = request;
  // Without lines to care for, the fewest moves were searched for already; `declared` moves nothing.
  const isShaped =
    packing !== 'declared' && (packing === 'cache_line' || hot.length > 0 || groups.length > 1);
  if (!isShaped) return found[0] as Arrangement;
  const withBytes = hot.filter((index) => (fields[index] as Extent).sizeBytes > 0);
  return withFewerMoves({ fields, alignBytes: recordAlign(request), line, hot: withBytes, groups }, found);
}

// --- Placing and judging -----------------------------------------------------------------------------------

function recordAlign({ fields, packing, groups, line }: Request): number {
  const natural = Math.max(...fields.map((field) => field.alignBytes));
  const onLines = packing === 'cache_line' || (packing !== 'declared' && groups.length > 1);
  return onLines ? Math.max(natural, line) : natural;
}

function place(request: Request, { order, lineStarts }: Arrangement, aligned: boolean): Layout {
  const { fields, line } = request;
  const natural = Math.max(...fields.map((field) => field.alignBytes));
  const alignBytes = aligned ? recordAlign(request) : natural;
  let end = 0;
  let used = 0;
  const placed = order.map((index) => {
    const field = fields[index] as Extent;
    const offsetBytes = roundUp(
      end,
      lineStarts.has(index) ? Math.max(line, field.alignBytes) : field.alignBytes,
    );
    end = offsetBytes + field.sizeBytes;
    used += field.sizeBytes;
    return { ...field, offsetBytes, cacheLine: Math.floor(offsetBytes / line) };
  });
  const sizeBytes = roundUp(end, alignBytes);
  return { sizeBytes, strideBytes: sizeBytes, alignBytes, paddingBytes: sizeBytes - used, fields: placed };
}

function assess(request: Request, arrangement: Arrangement) {
  const { fields, hot, line, groups } = request;
  const layout = place(request, arrangement, true);
  const at = new Map(layout.fields.map((field) => [field.name, field]));
  const placedOf = (index: number) => at.get((fields[index] as Extent).name) as PlacedField;
  const hotPlaced = hot.map(placedOf).filter((field) => field.sizeBytes > 0);
  const hotLines = hotPlaced.length === 0 ? null : linesOf(hotPlaced, 0, line).size;
  const meanHotLines = hotPlaced.length === 0 ? null : meanLines(hotPlaced, layout.strideBytes, line);
  const straddling = layout.fields
    .filter(
      ({ offsetBytes, sizeBytes }) =>
        sizeBytes > 0 &&
        sizeBytes <= line &&
        Math.floor(offsetBytes / line) !== Math.floor((offsetBytes + sizeBytes - 1) / line),
    )
    .map((field) => field.name);
  const sharedWriterLines = sharedLines(
    groups.map((group) => group.map(placedOf)),
    line,
  );
  return {
    arrangement,
    layout,
    hotLines,
    meanHotLines,
    straddling,
    sharedWriterLines,
  };
}

function linesOf(fields: readonly PlacedField[], baseBytes: number, line: number): Set<number> {
  const lines = new Set<number>();
  for (const { offsetBytes, sizeBytes } of fields) {
    const last = Math.floor((baseBytes + offsetBytes + sizeBytes - 1) / line);
    for (let at = Math.floor((baseBytes + offsetBytes) / line); at <= last; at += 1) lines.add(at);
  }
  return lines;
}

/** Over all starts that the records of a line-aligned array have against the lines. */
function meanLines(fields: readonly PlacedField[], strideBytes: number, line: number): number {
  let base = 0;
  let starts = 0;
  let total = 0;
  do {
    total += linesOf(fields, base, line).size;
    starts += 1;
    base = (base + strideBytes) % line;
  } while (base !== 0);
  return total / starts;
}

function sharedLines(groups: readonly (readonly PlacedField[])[], line: number): number {
  const writers = new Map<number, number>();
  for (const group of groups) {
    const used = group.filter((field) => field.sizeBytes > 0);
    for (const at of linesOf(used, 0, line)) writers.set(at, (writers.get(at) ?? 0) + 1);
  }
  return [...writers.values()].filter((count) => count > 1).length;
}

/** Arrangements that think in whole cache lines: one writer a line, and no field across two lines. */

/** An order of fields; those in `lineStarts` begin on a line of their own. Both hold indices. */
export interface Arrangement {
  readonly order: readonly number[];
  readonly lineStarts: ReadonlySet<number>;
}

interface Extent {
  readonly sizeBytes: number;
  readonly alignBytes: number;
}

/**
 * Each writer's fields begin on a line of their own. Fields without a writer fill the rest of the groups' last
 * lines, so that padding appears only where nothing fits; what is left of them comes last.
 */
export function separateWriters(
  fields: readonly Extent[],
  groups: readonly (readonly number[])[],
  hot: readonly number[],
  line: number,
): Arrangement {
  const isHot = new Set(hot);
  const owned = new Set(groups.flat());
  const heat = (group: readonly number[]) => group.filter((index) => isHot.has(index)).length;
  const inOrder = groups.toSorted((a, b) => heat(b) - heat(a) || Math.min(...a) - Math.min(...b));
  let free = hotThenWide(
    fields,
    fields.map((_, index) => index).filter((index) => !owned.has(index)),
    isHot,
  );
  const order: number[] = [];
  const lineStarts = new Set<number>();
  for (const group of inOrder) {
    // Hot fields in front, unless the holes between them would cost the group a line.
    const tight = hotThenWide(fields, group, new Set());
    const warm = hotThenWide(fields, group, isHot);
    const linesOf = (members: readonly number[]) => Math.ceil(append(fields, [], members, 0) / line);
    const members = linesOf(warm) > linesOf(tight) ? tight : warm;
    lineStarts.add(members[0] as number);
    let end = append(fields, order, members, 0);
    const lineEnd = Math.ceil(end / line) * line;
    const left: number[] = [];
    for (const index of free) {
      const next = endAfter(fields, end, index);
      if (next <= lineEnd) {
        order.push(index);
        end = next;
      } else {
        left.push(index);
      }
    }
    free = left;
  }
  append(fields, order, free, 0);
  return { order, lineStarts };
}

/** The declared order, with a new line where the next field belongs to another writer or would straddle a line. */
export function declaredOnLines(
  fields: readonly Extent[],
  groups: readonly (readonly number[])[],
  line: number,
): Arrangement {
  const writerOf = new Map(groups.flatMap((group, writer) => group.map((index) => [index, writer] as const)));
  const lineStarts = new Set<number>();
  let end = 0;
  let writer: number | undefined;
  fields.forEach((_, index) => {
    const own = writerOf.get(index);
    const isOther = own !== undefined && writer !== undefined && own !== writer;
    const next = endAfter(fields, end, index);
    const straddles =
      sizeOf(fields, index) <= line &&
      Math.floor((next - 1) / line) !== Math.floor((next - sizeOf(fields, index)) / line);
    if (index > 0 && (isOther || straddles)) lineStarts.add(index);
    end = lineStarts.has(index) ? Math.ceil(end / line) * line + sizeOf(fields, index) : next;
    writer = own ?? writer;
  });
  return { order: fields.map((_, index) => index), lineStarts };
}

/**
 * First fit, largest first: every field of up to a line's size lies within one line, larger ones begin on a line.
 * Hot fields go into the first lines.
 */
export function wholeLines(fields: readonly Extent[], hot: readonly number[], line: number): Arrangement {
  const isHot = new Set(hot);
  const bySize = fields
    .map((_, index) => index)
    .toSorted((a, b) => {
      const heat = Number(isHot.has(b)) - Number(isHot.has(a));
      return heat || sizeOf(fields, b) - sizeOf(fields, a) || a - b;
    });
  const bins: { members: number[]; used: number; lines: number }[] = [];
  for (const index of bySize) {
    const size = sizeOf(fields, index);
    const lines = Math.max(1, Math.ceil(size / line));
    // Within a bin fields stand in descending alignment, so sums of sizes are exact.
    const bin = size > line ? undefined : bins.find((each) => each.used + size <= each.lines * line);
    if (bin === undefined) bins.push({ members: [index], used: size, lines });
    else {
      bin.members.push(index);
      bin.used += size;
    }
  }
  const order: number[] = [];
  const lineStarts = new Set<number>();
  for (const { members } of bins) {
    // A field larger than a line stays in front: what follows it then lies in its last line.
    const large = members.filter((index) => sizeOf(fields, index) > line);
    const others = hotThenWide(
      fields,
      members.filter((index) => sizeOf(fields, index) <= line),
      new Set(),
    );
    lineStarts.add((large[0] ?? others[0]) as number);
    order.push(...large, ...others);
  }
  return { order, lineStarts };
}

function sizeOf(fields: readonly Extent[], index: number): number {
  return (fields[index] as Extent).sizeBytes;
}

function hotThenWide(
  fields: readonly Extent[],
  indices: readonly number[],
  isHot: ReadonlySet<number>,
): number[] {
  const align = (index: number) => (fields[index] as Extent).alignBytes;
  return indices.toSorted(
    (a, b) => Number(isHot.has(b)) - Number(isHot.has(a)) || align(b) - align(a) || a - b,
  );
}

function endAfter(fields: readonly Extent[], end: number, index: number): number {
  const { sizeBytes, alignBytes } = fields[index] as Extent;
  return Math.ceil(end / alignBytes) * alignBytes + sizeBytes;
}

function append(
  fields: readonly Extent[],
  order: number[],
  indices: readonly number[],
  start: number,
): number {
  let end = start;
  for (const index of indices) {
    order.push(index);
    end = endAfter(fields, end, index);
  }
  return end;
}

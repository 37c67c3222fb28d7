/**
 * The order of fields that reaches a given size with the fewest moves from the declared order.
 *
 * Method: only alignment and size modulo the record's alignment (a field's class) decide where padding appears.
 * So the search walks the declared order and at each step keeps the next field, lifts it out, or inserts a field of
 * some class that is lifted elsewhere. A state is the position, the balance of lifted and inserted fields per class
 * and the number of lifts; of the ways to reach a state only the lowest offset matters, because placing a field
 * never turns a lower offset into a higher one. The number of lifts is raised from 1 until the size is reached, and
 * a greedy answer bounds it from above. Structs that people write need one or two; the effort is capped so that
 * defining a type stays quick, and beyond it a beam of the most promising states goes on.
 *
 * Rejected: sorting by alignment (always small enough, but moves nearly every field) and exhaustive permutation.
 */

/** What decides where a field can go. */
export interface Extent {
  readonly sizeBytes: number;
  readonly alignBytes: number;
}

/** State expansions of the exact search: some tens of milliseconds, which only dozens of mixed fields reach. */
const EFFORT = 4_000;
/** States per position beyond that effort. */
const BEAM = 20;

/** End of the last field when placed in this order from `start`. */
export function endOf(extents: readonly Extent[], order: readonly number[], start = 0): number {
  let end = start;
  for (const index of order) {
    const { sizeBytes, alignBytes } = extents[index] as Extent;
    end = Math.ceil(end / alignBytes) * alignBytes + sizeBytes;
  }
  return end;
}

/** Indices (positions in `order`) of a longest run of fields that keep their declared order; the rest moved. */
export function movedIn(order: readonly number[]): number[] {
  // Patience sorting with back links: O(n log n).
  const tails: number[] = [];
  const before: number[] = [];
  order.forEach((value, position) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((order[tails[middle] as number] as number) < value) low = middle + 1;
      else high = middle;
    }
    before[position] = low > 0 ? (tails[low - 1] as number) : -1;
    tails[low] = position;
  });
  const kept = new Set<number>();
  for (let at = tails.at(-1) ?? -1; at >= 0; at = before[at] as number) kept.add(order[at] as number);
  return order.filter((value) => !kept.has(value));
}

/**
 * Smallest end, rounded up to `roundTo`, that any order of the fields reaches from `start`.
 * Exact where sizes are multiples of their alignment (all C types) and `start` is 0; else exact by search over
 * classes where those are few, and the best of the greedy orders where they are many.
 */
export function smallestEnd(extents: readonly Extent[], roundTo: number, start = 0): number {
  const sum = start + extents.reduce((total, extent) => total + extent.sizeBytes, 0);
  const bound = roundUp(sum, roundTo);
  const greedy = Math.min(...greedyOrders(extents).map((o) => roundUp(endOf(extents, o, start), roundTo)));
  if (greedy === bound) return bound;
  const exact = smallestByClasses(extents, roundTo, start);
  return exact === undefined ? greedy : Math.min(greedy, exact);
}

/**
 * The order with the fewest moves whose end, rounded up to `roundTo`, is at most `target`.
 * Undefined where none was found.
 */
export function fewestMoves(
  extents: readonly Extent[],
  target: number,
  roundTo: number,
  start = 0,
): number[] | undefined {
  const reaches = (order: readonly number[]) => roundUp(endOf(extents, order, start), roundTo) <= target;
  const declared = extents.map((_, index) => index);
  if (reaches(declared)) return declared;
  let best: number[] | undefined;
  for (const order of greedyOrders(extents)) {
    if (reaches(order) && (best === undefined || movedIn(order).length < movedIn(best).length)) best = order;
  }
  const bound = best === undefined ? extents.length : movedIn(best).length;
  const effort = { left: EFFORT };
  for (let lifts = 1; lifts < bound; lifts += 1) {
    const found = searchWithLifts(extents, { maxLifts: lifts, target, roundTo, start, effort });
    if (found !== undefined) return found;
    if (effort.left <= 0) {
      // Too many fields for certainty: keep the most promising states only.
      const beam = { maxLifts: bound - 1, target, roundTo, start, effort: { left: Infinity }, width: BEAM };
      return searchWithLifts(extents, beam) ?? best;
    }
  }
  return best;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Descending and ascending alignment (both stable), and the declared order with its holes filled. */
function greedyOrders(extents: readonly Extent[]): number[][] {
  const declared = extents.map((_, index) => index);
  const align = (index: number) => (extents[index] as Extent).alignBytes;
  return [
    declared.toSorted((a, b) => align(b) - align(a) || a - b),
    declared.toSorted((a, b) => align(a) - align(b) || a - b),
    fillHoles(extents),
  ];
}

function fillHoles(extents: readonly Extent[]): number[] {
  const rest = extents.map((_, index) => index);
  const order: number[] = [];
  let end = 0;
  while (rest.length > 0) {
    const next = extents[rest[0] as number] as Extent;
    const gap = roundUp(end, next.alignBytes) - end;
    let take = 0;
    if (gap > 0) {
      take = rest.findIndex((index) => {
        const { sizeBytes, alignBytes } = extents[index] as Extent;
        return roundUp(end, alignBytes) - end + sizeBytes <= gap;
      });
      if (take < 0) take = 0;
    }
    const [index] = rest.splice(take, 1) as [number];
    order.push(index);
    end = endOf(extents, [index], end);
  }
  return order;
}

interface Classes {
  /** Class of each field. */
  readonly of: number[];
  readonly align: number[];
  /** Size modulo the period. */
  readonly residue: number[];
  /** Offsets matter modulo this. */
  readonly period: number;
}

function classify(extents: readonly Extent[], roundTo: number): Classes {
  const period = Math.max(roundTo, ...extents.map((extent) => extent.alignBytes));
  const numbers = new Map<string, number>();
  const align: number[] = [];
  const residue: number[] = [];
  const of = extents.map(({ sizeBytes, alignBytes }) => {
    const key = `${alignBytes}/${sizeBytes % period}`;
    let number = numbers.get(key);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(key, number);
      align.push(alignBytes);
      residue.push(sizeBytes % period);
    }
    return number;
  });
  return { of, align, residue, period };
}

/** Lowest end over all orders, by dynamic programming over how many fields of each class are placed. */
function smallestByClasses(extents: readonly Extent[], roundTo: number, start: number): number | undefined {
  const { of, align, residue } = classify(extents, roundTo);
  const counts = align.map((_, c) => of.filter((each) => each === c).length);
  const states = counts.reduce((product, count) => product * (count + 1), 1);
  if (states > EFFORT) return undefined;
  const strides = counts.map((_, c) =>
    counts.slice(0, c).reduce((product, count) => product * (count + 1), 1),
  );
  const lowest = new Float64Array(states).fill(Infinity);
  lowest[0] = start;
  for (let state = 0; state < states; state += 1) {
    for (let c = 0; c < counts.length; c += 1) {
      const placed = Math.floor(state / (strides[c] as number)) % ((counts[c] as number) + 1);
      if (placed === counts[c]) continue;
      const next = state + (strides[c] as number);
      const end = roundUp(lowest[state] as number, align[c] as number) + (residue[c] as number);
      if (end < (lowest[next] as number)) lowest[next] = end;
    }
  }
  const whole = extents.reduce(
    (sum, extent, i) => sum + extent.sizeBytes - (residue[of[i] as number] as number),
    0,
  );
  return whole + roundUp(lowest[states - 1] as number, roundTo);
}

interface State {
  /** Inserted minus lifted fields, per class. */
  readonly balance: readonly number[];
  readonly lifts: number;
  end: number;
  /** What led here: class inserted, or -1 for keep, -2 for lift. */
  step: number;
  from: State | undefined;
}

const KEEP = -1;
const LIFT = -2;

interface Search {
  readonly maxLifts: number;
  readonly target: number;
  readonly roundTo: number;
  readonly start: number;
  /** Counted down; at 0 the search gives up. */
  readonly effort: { left: number };
  /** States kept per position; all where undefined. */
  readonly width?: number;
}

function searchWithLifts(
  extents: readonly Extent[],
  { maxLifts, target, roundTo, start, effort, width }: Search,
): number[] | undefined {
  const { of, align, residue } = classify(extents, roundTo);
  const classCount = align.length;
  const n = extents.length;
  const whole = extents.reduce((sum, e, i) => sum + e.sizeBytes - (residue[of[i] as number] as number), 0);
  const limit = target - whole;
  const totalResidue = of.reduce((sum, c) => sum + (residue[c] as number), 0);
  // remaining[i][c]: fields of class c from position i on.
  const remaining: number[][] = Array.from({ length: n + 1 }, () => new Array<number>(classCount).fill(0));
  for (let i = n - 1; i >= 0; i -= 1) {
    for (let c = 0; c < classCount; c += 1) {
      (remaining[i] as number[])[c] = ((remaining[i + 1] as number[])[c] as number) + (of[i] === c ? 1 : 0);
    }
  }
  const place = (end: number, c: number) => roundUp(end, align[c] as number) + (residue[c] as number);

  let here = new Map<string, State>();
  const first: State = {
    balance: new Array<number>(classCount).fill(0),
    lifts: 0,
    end: start,
    step: KEEP,
    from: undefined,
  };
  here.set(keyOf(first.balance, 0), first);
  const offer = (into: Map<string, State>, state: State, queue?: State[]) => {
    const key = keyOf(state.balance, state.lifts);
    const known = into.get(key);
    if (known !== undefined && known.end <= state.end) return;
    into.set(key, state);
    queue?.push(state);
  };

  for (let i = 0; i <= n; i += 1) {
    const next = new Map<string, State>();
    // Insertions stay at the same position, so the queue grows while it is read.
    const queue = width === undefined ? [...here.values()] : mostPromising([...here.values()], width);
    let placedResidue = 0;
    for (let k = 0; k < i; k += 1) placedResidue += residue[of[k] as number] as number;
    for (const state of queue) {
      if (here.get(keyOf(state.balance, state.lifts)) !== state) continue; // overtaken by a lower offset
      const mayInsert = width === undefined || queue.length < 4 * width;
      effort.left -= 1;
      if (effort.left <= 0) return undefined;
      const owed = state.balance.reduce((sum, b) => sum + Math.max(0, b), 0);
      const extraResidue = state.balance.reduce((sum, b, c) => sum + b * (residue[c] as number), 0);
      // Holes so far can only grow; beyond what the target allows the state is dead.
      if (state.end + totalResidue - placedResidue - extraResidue > limit) continue;
      for (let c = 0; mayInsert && c < classCount; c += 1) {
        const balance = state.balance[c] as number;
        const borrow = balance >= 0;
        if (
          borrow &&
          (state.lifts + owed >= maxLifts || balance >= ((remaining[i] as number[])[c] as number))
        ) {
          continue;
        }
        const moved = state.balance.with(c, balance + 1);
        offer(
          here,
          { balance: moved, lifts: state.lifts, end: place(state.end, c), step: c, from: state },
          queue,
        );
      }
      if (i === n) continue;
      const c = of[i] as number;
      offer(next, { ...state, end: place(state.end, c), step: KEEP, from: state });
      if (state.lifts < maxLifts) {
        const balance = state.balance.with(c, (state.balance[c] as number) - 1);
        const stillOwed = balance.reduce((sum, b) => sum + Math.max(0, b), 0);
        if (state.lifts + 1 + stillOwed <= maxLifts) {
          offer(next, { balance, lifts: state.lifts + 1, end: state.end, step: LIFT, from: state });
        }
      }
    }
    if (i < n) here = next;
  }

  let best: State | undefined;
  for (const state of here.values()) {
    if (state.balance.some((b) => b !== 0) || roundUp(state.end, roundTo) > limit) continue;
    if (best === undefined || state.end < best.end) best = state;
  }
  return best === undefined ? undefined : orderOf(best, of);
}

/** Those that will have lifted fewest fields, counting what insertions still owe. */
function mostPromising(states: State[], width: number): State[] {
  if (states.length <= width) return states;
  const cost = ({ lifts, balance }: State) => lifts + balance.reduce((sum, b) => sum + Math.max(0, b), 0);
  const deferred = ({ balance }: State) => balance.reduce((sum, b) => sum + Math.max(0, -b), 0);
  return states
    .map((state) => ({ state, cost: cost(state), deferred: deferred(state) }))
    .sort((a, b) => a.cost - b.cost || a.deferred - b.deferred || a.state.end - b.state.end)
    .slice(0, width)
    .map(({ state }) => state);
}

function keyOf(balance: readonly number[], lifts: number): string {
  return `${balance.join()}|${lifts}`;
}

/** Reads the steps back and gives the lifted fields, class by class, to the insertions. */
function orderOf(last: State, of: readonly number[]): number[] {
  const steps: number[] = [];
  for (let state: State | undefined = last; state?.from !== undefined; state = state.from) {
    steps.push(state.step);
  }
  steps.reverse();
  const lifted: number[][] = [];
  let position = 0;
  for (const step of steps) {
    if (step >= 0) continue;
    if (step === LIFT) (lifted[of[position] as number] ??= []).push(position);
    position += 1;
  }
  const order: number[] = [];
  position = 0;
  for (const step of steps) {
    if (step >= 0) order.push((lifted[step] as number[]).shift() as number);
    else {
      if (step === KEEP) order.push(position);
      position += 1;
    }
  }
  return order;
}

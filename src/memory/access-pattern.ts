/** The access pattern that layouts are measured with where the user registered no workload. */
import { canGenerate } from './struct/accessor-codegen.js';
import type { StructType } from './struct/struct-type.js';
import type { StructArray } from './struct/struct-array.js';
import type { FieldNode, Fields } from './struct/field-types.js';

export interface AccessPattern {
  /** `mixed`: one pass in order, and as many visits at random as an eighth of the records. */
  readonly access: 'sequential' | 'random' | 'mixed';
  /** Fields that the pass in order reads. */
  readonly scanned: readonly string[];
  /** Fields that a visit at random reads; it also writes the first. */
  readonly visited: readonly string[];
  /** One pass that reads all scanned fields of a record, or one pass per field. */
  readonly passes: 'fused' | 'separate';
}

const HOT_PART = 4;
const MAX_VISITED = 12;

/** Fields that a loop can add up. */
export function summableFields(type: StructType): string[] {
  const isNumber = (node: FieldNode) =>
    node.kind === 'scalar' && node.scalar !== 'bool' && node.scalar !== 'u64' && node.scalar !== 'i64';
  return type.node.fields.filter((field) => isNumber(field.node)).map((field) => field.name);
}

/**
 * Scans the hot fields, or every fourth where none are named; visits touch up to a dozen. Undefined for a type
 * without numbers, which needs a workload.
 */
export function patternFor(
  type: StructType,
  access: AccessPattern['access'],
  passes: AccessPattern['passes'],
  hot: readonly string[],
): AccessPattern | undefined {
  const fields = summableFields(type);
  if (fields.length === 0) return undefined;
  const wanted = fields.filter((name) => hot.includes(name));
  const scanned =
    wanted.length > 0 ? wanted : fields.filter((_, k) => k % HOT_PART === Math.min(1, fields.length - 1));
  return { access, scanned, visited: fields.slice(0, MAX_VISITED), passes };
}

/** A function that goes through the pattern once and returns what it read, the same for every layout. */
export function patternRunner(records: StructArray<Fields>, pattern: AccessPattern): () => number {
  const count = records.length;
  const visits = pattern.access === 'random' ? count : pattern.access === 'mixed' ? count >> 3 : 0;
  const order = shuffled(count).subarray(0, visits);
  const scans = pattern.access === 'random' ? [] : [...pattern.scanned];
  const groups = pattern.passes === 'fused' ? (scans.length > 0 ? [scans] : []) : scans.map((name) => [name]);
  const cursor = records.cursor();
  const loops = [
    ...groups.map((fields) => scanLoop(fields)),
    ...(visits > 0 ? [visitLoop(pattern.visited)] : []),
  ];
  return () => {
    let sum = 0;
    for (const loop of loops) sum += loop(cursor as never, count, order);
    return sum;
  };
}

type Loop = (cursor: { index: number } & Record<string, number>, count: number, order: Int32Array) => number;

let loopsMade = 0;

function scanLoop(fields: readonly string[]): Loop {
  const read = fields.map((name) => `p.${name}`).join(' + ');
  return compile(
    `let s = 0; for (let i = 0; i < n; i++) { p.index = i; s += ${read}; } return s;`,
    (p, n) => {
      let sum = 0;
      for (let i = 0; i < n; i += 1) {
        p.index = i;
        for (const name of fields) sum += p[name] as number;
      }
      return sum;
    },
  );
}

/** Writes what depends on the record alone, so that a second run gives the same. */
function visitLoop(fields: readonly string[]): Loop {
  const [first] = fields as [string];
  const read = fields.map((name) => `p.${name}`).join(' + ');
  return compile(
    `let s = 0; for (let k = 0; k < o.length; k++) { p.index = o[k]; s += ${read}; p.${first} = o[k] & 63; } return s;`,
    (p, _, order) => {
      let sum = 0;
      for (const index of order) {
        p.index = index;
        for (const name of fields) sum += p[name] as number;
        p[first] = index & 63;
      }
      return sum;
    },
  );
}

/** Each loop is compiled from a text of its own: shared code would see the types of every layout at once. */
function compile(body: string, interpreted: Loop): Loop {
  if (!canGenerate()) return interpreted;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  return new Function('p', 'n', 'o', `${body} // ${(loopsMade += 1)}`) as Loop;
}

/** Each record once, in an order that is the same in every process (a multiplicative walk is no cache-friend). */
function shuffled(count: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index);
  let state = 0x2545f491;
  for (let k = count - 1; k > 0; k -= 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const other = (state >>> 0) % (k + 1);
    const held = order[k] as number;
    order[k] = order[other] as number;
    order[other] = held;
  }
  return order;
}

/**
 * Counts what cursors do to each field: reads, writes, and which thread writes, to learn from a workload which fields
 * are hot and who owns them.
 *
 * Method: the accessors of a recording type are wrapped; each counts in a row of shared memory that belongs to its
 * thread, so that threads neither wait for each other nor lose counts. The memory travels with the type's descriptor,
 * so that workers that attach a recorded array count as well.
 *
 * Rejected: sampling, which cannot tell reads from writes of a field; and one table for all threads, whose counts would
 * need an atomic addition each.
 */
import { threadId } from 'node:worker_threads';
import { canGenerate } from './accessor-codegen.js';
import type { AccessPlan } from './access-plan.js';
import type { CursorClass, CursorHost } from './accessor-runtime.js';
import { HEAD_WORDS, MAX_ROWS, recordingBytes } from './recording-memory.js';

/** What happened to a field so far. Only cursors count: columns are plain typed arrays. */
export interface FieldAccesses {
  readonly reads: number;
  readonly writes: number;
  /** Writes by thread id; 0 is the main thread. */
  readonly writers: Readonly<Record<number, number>>;
}

export class AccessRecorder {
  readonly memory: SharedArrayBuffer;
  private readonly names: readonly string[];
  private readonly head: Int32Array;
  private readonly counts: Float64Array;
  private row = -1;

  /** @param memory of a recorder for the same fields, to count beside it */
  constructor(names: readonly string[], memory?: SharedArrayBuffer) {
    this.names = names;
    this.memory = memory ?? new SharedArrayBuffer(recordingBytes(names.length));
    this.head = new Int32Array(this.memory, 0, HEAD_WORDS);
    this.counts = new Float64Array(this.memory, 4 * HEAD_WORDS);
  }

  /** All counts to zero: what came before was preparation. */
  reset(): void {
    this.counts.fill(0);
  }

  read(): Record<string, FieldAccesses> {
    const rows = Math.min(MAX_ROWS, Atomics.load(this.head, 0) >>> 0);
    return Object.fromEntries(
      this.names.map((name, field) => {
        let reads = 0;
        let writes = 0;
        const writers: Record<number, number> = {};
        for (let row = 0; row < rows; row += 1) {
          const at = 2 * (row * this.names.length + field);
          reads += this.counts[at] as number;
          const written = this.counts[at + 1] as number;
          writes += written;
          const thread = Atomics.load(this.head, 1 + row);
          if (written > 0) writers[thread] = (writers[thread] ?? 0) + written;
        }
        return [name, { reads, writes, writers }];
      }),
    );
  }

  /** A cursor class that counts and passes on to `made`. Accesses within a nested field count as reads of it. */
  counting(plan: AccessPlan, made: CursorClass): CursorClass {
    const names = plan.root.members.map((member) => member.name);
    const wrap = (target: object, name: string, from: object) => {
      const original = Object.getOwnPropertyDescriptor(from, name);
      if (original?.get === undefined) return;
      const field = this.names.indexOf(name);
      const count = (kind: 0 | 1) => this.count(field, kind);
      Object.defineProperty(target, name, {
        configurable: true,
        get(this: unknown): unknown {
          count(0);
          return original.get?.call(this) as unknown;
        },
        set(this: unknown, value: unknown) {
          count(1);
          original.set?.call(this, value);
        },
      });
    };
    if (canGenerate()) {
      const Counting = class extends made {};
      for (const name of names) wrap(Counting.prototype, name, made.prototype as object);
      return Counting;
    }
    // Interpreted cursors carry their properties themselves; those that are configurable are wrapped.
    return class {
      constructor(host: CursorHost) {
        const cursor = new made(host);
        const counting = Object.create(cursor) as object;
        for (const name of names) wrap(counting, name, cursor);
        return counting;
      }
    } as unknown as CursorClass;
  }

  private count(field: number, kind: 0 | 1): void {
    if (this.row < 0) {
      // Unsigned, as whoever shares the memory may have written anything there.
      this.row = Math.min(MAX_ROWS - 1, Atomics.add(this.head, 0, 1) >>> 0);
      Atomics.store(this.head, 1 + this.row, threadId);
    }
    const at = 2 * (this.row * this.names.length + field) + kind;
    this.counts[at] = (this.counts[at] as number) + 1;
  }
}

/**
 * Who owns which fields: those that one thread writes go to it, those that several write are a group of their own.
 * Undefined where fewer than two groups write, and there is nothing to keep apart.
 */
export function writerGroups(
  accesses: Readonly<Record<string, FieldAccesses>>,
): Record<string, string[]> | undefined {
  const groups: Record<string, string[]> = {};
  for (const [name, { writers }] of Object.entries(accesses)) {
    const threads = Object.keys(writers);
    if (threads.length === 0) continue;
    const owner = threads.length === 1 ? `thread_${threads[0] as string}` : 'several_threads';
    (groups[owner] ??= []).push(name);
  }
  return Object.keys(groups).length > 1 ? groups : undefined;
}

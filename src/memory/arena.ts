/**
 * A bump allocator: taking memory is one addition, giving all of it back is one assignment. For temporaries that
 * die together, such as everything that one request needs.
 *
 * It hands out offsets and not views: a view costs more than the allocation that it would replace. Read and write
 * through the arena's own typed arrays (`arena.f64[offset >> 3]`), or take a `view()` where speed does not matter.
 */
import { describe, fail } from '../errors.js';
import type { AllocatorStats } from './allocator-stats.js';
import { nameOr, requireInteger, roundUp } from './arguments.js';
import { requireOptions } from '../options.js';
import { Region, type HugePages } from './regions.js';

export interface ArenaOptions {
  /** 8 to 2^31 - 4096 bytes, rounded up to a multiple of 8. */
  readonly bytes: number;
  readonly hugePages?: HugePages;
  /** Touches the memory at once. Default false. */
  readonly prefault?: boolean;
  readonly name?: string;
}

/** What the options may hold; the compiler compares it with them. */
const OPTION_KEYS: Readonly<Record<keyof ArenaOptions, true>> = {
  bytes: true,
  hugePages: true,
  prefault: true,
  name: true,
};
const MAX_ALIGNMENT = 4096;
/** Rounding any offset up to any alignment stays below 2^31, where `&` would turn it negative. */
const MAX_BYTES = 2 ** 31 - MAX_ALIGNMENT;

let threadArena: Arena | undefined;

/**
 * Allocations within a scope are given back when it is disposed. Scopes nest; disposing an outer one ends those
 * inside it.
 */
export class ArenaScope implements Disposable {
  private readonly arena: Arena;
  private readonly depth: number;

  /** @internal Use `arena.scope()`. */
  constructor(arena: Arena, depth: number) {
    this.arena = arena;
    this.depth = depth;
  }

  /** Gives back what was allocated since the scope began. Harmless twice. */
  close(): void {
    this.arena.leave(this, this.depth);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * @throws INVALID_ARGUMENT for sizes out of range; OUT_OF_MEMORY where the system refuses. Methods throw CLOSED after
 *   `close()`; reads through kept typed arrays give `undefined` then.
 *
 * @example
 * const arena = new Arena({ bytes: 1 << 20 });
 * {
 *   using _ = arena.scope();
 *   const at = arena.allocate(8 * 100) >> 3;
 *   for (let i = 0; i < 100; i += 1) arena.f64[at + i] = i;
 * }                                            // all given back here
 */
export class Arena implements Disposable {
  readonly name: string;
  readonly sizeBytes: number;
  /** The whole arena as typed arrays; offsets from `allocate` count in bytes, so shift them. */
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;

  private readonly region: Region;
  private top = 0;
  private limit: number;
  private highWater = 0;
  private allocations = 0;
  private mostAllocations = 0;
  private exhausted = 0;
  private marks: { scope: ArenaScope; top: number; allocations: number }[] = [];

  constructor(options: ArenaOptions) {
    requireOptions('Arena options', options, OPTION_KEYS);
    this.sizeBytes = roundUp(requireInteger('bytes', options.bytes, 8, MAX_BYTES), 8);
    this.name = nameOr('arena', options.name);
    this.region = new Region({
      sizeBytes: this.sizeBytes,
      alignment: MAX_ALIGNMENT,
      hugePages: options.hugePages ?? 'never',
      prefault: options.prefault ?? false,
      name: `arena "${this.name}"`,
    });
    const { buffer, offsetBytes } = this.region;
    this.u8 = new Uint8Array(buffer, offsetBytes, this.sizeBytes);
    this.i32 = new Int32Array(buffer, offsetBytes, this.sizeBytes >> 2);
    this.u32 = new Uint32Array(buffer, offsetBytes, this.sizeBytes >> 2);
    this.f32 = new Float32Array(buffer, offsetBytes, this.sizeBytes >> 2);
    this.f64 = new Float64Array(buffer, offsetBytes, this.sizeBytes >> 3);
    this.limit = this.sizeBytes;
  }

  /**
   * The arena of the calling thread, made at the first call: every worker has its own, so nothing is locked.
   * Later calls ignore `options`, unless that arena was closed.
   */
  static forThread(options: ArenaOptions = { bytes: 1 << 20 }): Arena {
    if (threadArena === undefined || threadArena.closed) {
      threadArena = new Arena({ name: 'thread', ...options });
    }
    return threadArena;
  }

  /**
   * Takes `sizeBytes` and returns their offset in bytes. The bytes are not cleared.
   * @param alignBytes power of two up to 4096; default 8.
   * @throws OUT_OF_SPACE where the arena has no room left.
   */
  allocate(sizeBytes: number, alignBytes = 8): number {
    if (typeof sizeBytes !== 'number' || typeof alignBytes !== 'number') {
      return this.refuse(sizeBytes, alignBytes);
    }
    const start = (this.top + alignBytes - 1) & -alignBytes;
    const end = start + sizeBytes;
    // NaN, fractions, negative sizes and a closed arena (whose limit is 0) fail one of these too.
    if (!(end <= this.limit && sizeBytes >= 0) || (end | 0) !== end || !isAlignment(alignBytes)) {
      return this.refuse(sizeBytes, alignBytes);
    }
    this.top = end;
    this.allocations += 1;
    if (end > this.highWater) this.highWater = end;
    return start;
  }

  /** A fresh view of `sizeBytes` at an offset. */
  view(offsetBytes: number, sizeBytes: number): Uint8Array {
    this.requireOpen();
    requireInteger('offsetBytes', offsetBytes, 0, this.sizeBytes);
    requireInteger('sizeBytes', sizeBytes, 0, this.sizeBytes - offsetBytes);
    return this.u8.subarray(offsetBytes, offsetBytes + sizeBytes);
  }

  /** Begins a scope; what is allocated until it is disposed is given back then. */
  scope(): ArenaScope {
    this.requireOpen();
    const scope = new ArenaScope(this, this.marks.length);
    this.marks.push({ scope, top: this.top, allocations: this.allocations });
    return scope;
  }

  /** @internal */
  leave(scope: ArenaScope, depth: number): void {
    const mark = this.marks[depth];
    if (mark?.scope !== scope) return; // ended already, by itself, by an outer scope or by reset()
    this.noteAllocations();
    this.marks.length = depth;
    this.top = mark.top;
    this.allocations = mark.allocations;
  }

  /** Gives everything back at once, open scopes included. O(1). */
  reset(): void {
    this.requireOpen();
    this.noteAllocations();
    this.marks.length = 0;
    this.top = 0;
    this.allocations = 0;
  }

  /** Gives the pages above the present top back to the system. Returns the bytes given back. */
  trim(): number {
    this.requireOpen();
    return this.region.trim(this.top, this.sizeBytes - this.top);
  }

  get closed(): boolean {
    return this.region.closed;
  }

  stats(): AllocatorStats {
    this.noteAllocations();
    return {
      kind: 'arena',
      name: this.name,
      capacity: null,
      inUse: this.allocations,
      highWater: this.mostAllocations,
      growths: 0,
      exhausted: this.exhausted,
      waiting: 0,
      bytes: {
        available: true,
        capacity: this.limit,
        inUse: this.top,
        highWater: this.highWater,
        internalFragmentation: null,
        externalFragmentation: 0,
      },
      closed: this.closed,
    };
  }

  close(): void {
    this.noteAllocations();
    this.marks = [];
    this.top = 0;
    this.allocations = 0;
    this.limit = 0;
    this.region.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private noteAllocations(): void {
    this.mostAllocations = Math.max(this.mostAllocations, this.allocations);
  }

  private requireOpen(): void {
    if (this.closed) throw fail('CLOSED', { what: `Arena "${this.name}"` });
  }

  private refuse(size: unknown, alignBytes: unknown): never {
    this.requireOpen();
    const sizeBytes = requireInteger('sizeBytes', size, 0, Number.MAX_SAFE_INTEGER);
    if (!isAlignment(alignBytes)) {
      throw fail('INVALID_ARGUMENT', {
        name: 'alignBytes',
        actual: describe(alignBytes),
        expected: `a power of two up to ${MAX_ALIGNMENT}`,
      });
    }
    this.exhausted += 1;
    throw fail('OUT_OF_SPACE', {
      what: `Arena "${this.name}"`,
      requestedBytes: sizeBytes,
      freeBytes: this.sizeBytes - this.top,
      sizeBytes: this.sizeBytes,
    });
  }
}

function isAlignment(value: unknown): boolean {
  return (
    typeof value === 'number' &&
    value >= 1 &&
    value <= MAX_ALIGNMENT &&
    (value | 0) === value &&
    (value & (value - 1)) === 0
  );
}

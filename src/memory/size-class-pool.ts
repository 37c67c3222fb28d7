/**
 * A pool for buffers of mixed sizes: a slab pool per size class, chosen by a table, and a count of the sizes asked for,
 * from which better classes are learnt.
 *
 * Method: size classes as in slab and thread-caching allocators (Bonwick 1994; jemalloc, mimalloc). The bucket of a size is
 * a shift, its class a byte of a table, so that an acquire costs one slab acquire and a handful of array accesses, and
 * allocates nothing. The slab pools share one shape of handle: slot, then seven bits that say which pool, then the
 * generation. So a handle stays a small integer, which release passes on as it is.
 *
 * Rejected: the class above 2^31 in the handle (a double, which V8 boxes wherever it is kept in an object), a binary search
 * over the classes, falling back to Buffer.allocUnsafe above `maxBytes` (two kinds of memory behind one handle, and
 * no bound on what the pool holds), and `checks: 'none'` (a stale handle could then reach another class).
 */
import { describe, fail } from '../errors.js';
import type { Choice, SizeClassChoice, SizeClassSetting } from '../model/choice.js';
import type { Subject } from '../model/subject.js';
import type { AllocatorStats } from './allocator-stats.js';
import { nameOr, requireInteger } from './arguments.js';
import { requireOptions } from '../options.js';
import { SizeBuckets } from './size-buckets.js';
import type { SizeCounts } from './size-class-fit.js';
import {
  completeSizeClassOptions,
  MAX_SIZE_BYTES,
  MAX_SLOTS_PER_CLASS,
  type SizeClassPoolOptions,
} from './size-class-options.js';
import { SlabPool } from './slab-pool.js';
import type { LeakSite } from './slab-trace.js';

const TAG_BITS = 7;
const TAGS = 1 << TAG_BITS;
/** What a class begins with, unless told: as many slots as fill this, 2 to 64. */
const FIRST_BYTES = 65_536;

export type { SizeClassPoolOptions } from './size-class-options.js';

export interface SizeClassStats {
  readonly slotBytes: number;
  /** Requests for sizes of this class as it is now, since the pool was made, refused ones included. */
  readonly requests: number;
  /** Slots reserved now; 0 before the first use. */
  readonly capacity: number;
  readonly inUse: number;
  /** Most slots of this class in use at once. */
  readonly highWater: number;
  readonly growths: number;
  readonly exhausted: number;
}

export interface SizeClassPoolStats extends AllocatorStats {
  readonly kind: 'size-class-pool';
  readonly classes: readonly SizeClassStats[];
  /** Requests above `maxBytes`, which were refused. */
  readonly oversized: number;
  /** The largest of them; 0 where there was none. */
  readonly largestOversizedBytes: number;
}

/** The sizes asked for so far, each as its bucket's upper end. */
export interface SizeTraffic extends SizeCounts {
  /** Exact sum of the sizes. */
  readonly requestedBytes: number;
}

let poolsMade = 0;

/**
 * `acquire` and `release` together cost two to three times what `SlabPool`'s do, some 6 ns more, and allocate nothing. A stale handle is refused, but for one in
 * 2^24 / maxSlotsPerClass reuses of its slot (4096 by default). Memory of a class is reserved when it is first used.
 *
 * Registered with an optimizer, `optimizeMemory` learns its classes, and their slots and growth, from its traffic.
 *
 * @throws INVALID_ARGUMENT for options out of range. After `close()` every method but `stats`, `traffic`, `has`, `leaks`
 *   and `close` throws CLOSED.
 *
 * @example
 * using pool = new SizeClassPool({ maxBytes: 65_536, name: 'messages' });
 * const handle = pool.acquire(1500);
 * const bytes = pool.buffer(handle);   // 1536 bytes: the slot, which may be longer than asked for
 * pool.release(handle);
 */
export class SizeClassPool implements Subject, Disposable {
  readonly kind = 'pool';
  readonly name: string;
  readonly maxBytes: number;
  readonly alignmentBytes: number;
  readonly maxSlotsPerClass: number;

  private readonly buckets: SizeBuckets;
  private readonly slotBits: number;
  private readonly smallShift: number;
  /** Sizes up to it take the fast path; 0 after `close()`. */
  private smallBytes: number;
  /** Requests by bucket, and at the end the sum of their sizes. Doubles, which do not overflow. */
  private readonly counts: Float64Array;
  private readonly sumAt: number;
  /** Position of its class by bucket. */
  private table: Uint8Array;
  /** By class; undefined before the first use. */
  private pools: (SlabPool | undefined)[];
  private settings: readonly SizeClassSetting[];
  /** By class, the most in use at once before the classes were changed, as far as its sizes had a share in it. */
  private carried: Float64Array;
  /** By the tag in a handle: the pools in force, and those of earlier classes that have slots in use still. */
  private readonly byTag: (SlabPool | undefined)[] = new Array<undefined>(TAGS).fill(undefined);
  private lastTag = -1;
  private tagsGiven = 0;
  private readonly first: number | undefined;
  private readonly debugging: { readonly poison: boolean; readonly captureStacks: boolean };
  private oversized = 0;
  private largestOversizedBytes = 0;
  private isClosed = false;

  constructor(options: SizeClassPoolOptions) {
    const complete = completeSizeClassOptions(options);
    poolsMade += 1;
    this.name = nameOr(`size-class-pool-${poolsMade}`, options.name);
    this.maxBytes = complete.maxBytes;
    this.alignmentBytes = complete.alignmentBytes;
    this.first = complete.slotsPerClass;
    this.maxSlotsPerClass = complete.maxSlotsPerClass;
    this.debugging = { poison: complete.poison, captureStacks: complete.captureStacks };
    this.slotBits = Math.max(1, Math.ceil(Math.log2(this.maxSlotsPerClass)));
    this.buckets = new SizeBuckets(this.alignmentBytes, this.maxBytes);
    this.smallShift = this.buckets.smallShift;
    this.smallBytes = Math.min(this.buckets.smallLimit, this.maxBytes);
    this.sumAt = this.buckets.count;
    this.counts = new Float64Array(this.buckets.count + 1);
    const classes =
      complete.sizeClasses === undefined
        ? this.buckets.defaultClasses()
        : this.buckets.classesOf(complete.sizeClasses);
    this.settings = classes.map((slotBytes) => this.defaultSetting(slotBytes));
    this.table = this.buckets.tableOf(classes);
    this.pools = classes.map(() => undefined);
    this.carried = new Float64Array(classes.length);
  }

  /**
   * Takes a slot of at least `sizeBytes`. Its bytes are whatever the last user left there (zero at first).
   * @throws INVALID_ARGUMENT for what is no whole number from 1 to `maxBytes`; POOL_EXHAUSTED where all slots of its class
   *   are in use (larger classes do not help out: the sizes that need them would then be refused); OUT_OF_MEMORY.
   */
  acquire(sizeBytes: number): number {
    return this.classFor(sizeBytes).acquire();
  }

  /** As `acquire`, but undefined instead of POOL_EXHAUSTED. */
  tryAcquire(sizeBytes: number): number | undefined {
    return this.classFor(sizeBytes).tryAcquire();
  }

  /**
   * As `acquire`, but waits for a release within the size's class: first come, first served.
   * @throws ABORTED when the signal fires first; CLOSED when the pool is closed first.
   */
  async acquireAsync(sizeBytes: number, options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.classFor(sizeBytes).acquireAsync(options);
  }

  /** Gives a slot back. @throws STALE_HANDLE for a handle that was released already, FOREIGN_HANDLE for what is none. */
  release(handle: number): void {
    (this.byTag[(handle >> this.slotBits) & (TAGS - 1)] ?? this.refuse(handle)).release(handle);
  }

  /** All bytes of the slot, which may be more than asked for. The same object each time the slot is acquired. */
  view(handle: number): Uint8Array {
    return (this.byTag[(handle >> this.slotBits) & (TAGS - 1)] ?? this.refuse(handle)).view(handle);
  }

  /** As `view`, as a Node `Buffer`. For a shorter one, which costs an object, take `subarray(0, sizeBytes)`. */
  buffer(handle: number): Buffer {
    return (this.byTag[(handle >> this.slotBits) & (TAGS - 1)] ?? this.refuse(handle)).buffer(handle);
  }

  /** Whether this is a handle in use. False for anything else, also after `close()`. */
  has(handle: number): boolean {
    return (
      typeof handle === 'number' && this.byTag[(handle >> this.slotBits) & (TAGS - 1)]?.has(handle) === true
    );
  }

  /** The slots in use by the place in the code that took them. @throws NOT_SUPPORTED without `captureStacks`. */
  leaks(): LeakSite[] {
    if (!this.debugging.captureStacks) {
      throw fail('NOT_SUPPORTED', {
        what: 'leaks()',
        where: 'without captureStacks',
        remedy: 'Create the pool with captureStacks: true.',
      });
    }
    const bySite = new Map<string, LeakSite>();
    for (const each of this.open().flatMap((pool) => pool.leaks())) {
      const { count = 0, sizeBytes = 0 } = bySite.get(each.site) ?? {};
      bySite.set(each.site, { ...each, count: count + each.count, sizeBytes: sizeBytes + each.sizeBytes });
    }
    return [...bySite.values()].sort((a, b) => b.count - a.count);
  }

  /**
   * Figures of all classes and of each. `highWater` adds up those of the classes, so it is the most in use at once or
   * somewhat more. `bytes.internalFragmentation` is that of all requests so far in the classes as they are now; null before
   * the first. Reads a few thousand counters.
   */
  stats(): SizeClassPoolStats {
    const requests = this.requestsByClass();
    const classes = this.settings.map(({ slotBytes }, at): SizeClassStats => {
      const slab = this.pools[at]?.stats();
      return {
        slotBytes,
        requests: requests[at] as number,
        capacity: slab?.capacity ?? 0,
        inUse: slab?.inUse ?? 0,
        highWater: slab?.highWater ?? 0,
        growths: slab?.growths ?? 0,
        exhausted: slab?.exhausted ?? 0,
      };
    });
    const all = [...new Set([...this.pools, ...this.open()])].flatMap((pool) => pool?.stats() ?? []);
    const sum = (of: (slab: AllocatorStats) => number | null) =>
      all.reduce((total, slab) => total + (of(slab) ?? 0), 0);
    const bytes = (of: 'capacity' | 'inUse' | 'highWater') =>
      sum((slab) => (slab.bytes.available ? slab.bytes[of] : 0));
    const slotBytes = classes.reduce((total, each) => total + each.requests * each.slotBytes, 0);
    return {
      kind: 'size-class-pool',
      name: this.name,
      capacity: sum(({ capacity }) => capacity),
      inUse: sum(({ inUse }) => inUse),
      highWater: sum(({ highWater }) => highWater),
      growths: sum(({ growths }) => growths),
      exhausted: sum(({ exhausted }) => exhausted),
      waiting: sum(({ waiting }) => waiting),
      bytes: {
        available: true,
        capacity: bytes('capacity'),
        inUse: bytes('inUse'),
        highWater: bytes('highWater'),
        internalFragmentation: slotBytes === 0 ? null : 1 - (this.counts[this.sumAt] as number) / slotBytes,
        externalFragmentation: 0,
      },
      closed: this.isClosed,
      classes,
      oversized: this.oversized,
      largestOversizedBytes: this.largestOversizedBytes,
    };
  }

  /** The sizes that were asked for since the pool was made: what its classes are learnt from. */
  traffic(): SizeTraffic {
    const sizes: number[] = [];
    const counts: number[] = [];
    for (let bucket = 0; bucket < this.buckets.count; bucket += 1) {
      const count = this.counts[bucket] as number;
      if (count === 0) continue;
      sizes.push(this.buckets.upperBytes(bucket));
      counts.push(count);
    }
    return { sizes, counts, requestedBytes: this.counts[this.sumAt] as number };
  }

  /** By class, the most slots in use at once, with what was carried over from earlier classes. */
  get demand(): readonly number[] {
    return this.pools.map((pool, at) => Math.max(pool?.stats().highWater ?? 0, this.carried[at] as number));
  }

  /** Slots that the largest burst took beyond what was there, by class. */
  get growthBursts(): readonly number[] {
    return this.pools.map((pool) => pool?.growthBurst ?? 0);
  }

  /** Gives the pages that hold only free slots back to the system. Returns the bytes given back. */
  trim(): number {
    this.requireOpen();
    return this.open().reduce((total, pool) => total + pool.trim(), 0);
  }

  /** What is in force: as constructed, or as last applied. */
  get choice(): SizeClassChoice {
    return { kind: 'size_classes', classes: this.settings };
  }

  /**
   * Puts learnt classes in force for what is acquired from now on. A class that stays keeps its slots; the memory of one that
   * goes is freed at once, or with the last of its slots in use, whose handles stay valid until they are released.
   * @throws INVALID_ARGUMENT for a choice of another kind, for classes that are none, and where more than 128 classes would
   *   live, earlier ones with slots in use included; OUT_OF_MEMORY.
   */
  applyChoice(choice: Choice): void {
    this.requireOpen();
    requireOptions('choice', choice);
    const settings = this.checked(choice);
    const present = new Map(this.settings.map(({ slotBytes }, at) => [slotBytes, this.pools[at]]));
    const pools = settings.map(({ slotBytes }) => present.get(slotBytes));
    const staying = new Set(pools);
    const going = this.pools.filter((pool) => pool !== undefined && !staying.has(pool));
    const busy = this.open().filter((pool) => !staying.has(pool) && pool.stats().inUse > 0);
    if (busy.length + settings.length > TAGS) {
      throw this.refused(`${settings.length} classes while ${busy.length} earlier ones have slots in use`);
    }
    settings.forEach(({ slotBytes: _, ...setting }, at) => {
      const pool = pools[at];
      if (pool === undefined) return;
      const { alignmentBytes, hugePages, prefault } = pool.choice;
      pool.applyChoice({ kind: 'pool', ...setting, alignmentBytes, hugePages, prefault });
    });
    const table = this.buckets.tableOf(settings.map(({ slotBytes }) => slotBytes));
    this.carried = this.carriedInto(table, settings.length);
    this.settings = settings;
    this.pools = pools;
    this.table = table;
    for (const pool of going) pool?.retire(() => this.drop(pool));
  }

  /** Frees the memory of all classes. Views that were kept read `undefined`; waiting callers are rejected. Harmless twice. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.smallBytes = 0;
    for (const pool of this.open()) pool.close();
    this.byTag.fill(undefined);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // --- Slow paths ------------------------------------------------------------------------------------------

  private classFor(sizeBytes: number): SlabPool {
    // Also turns away what is no number, and fractions.
    if ((sizeBytes | 0) !== sizeBytes || sizeBytes < 1 || sizeBytes > this.smallBytes) {
      return this.classForOther(sizeBytes);
    }
    const { counts, sumAt } = this;
    const bucket = (sizeBytes - 1) >> this.smallShift;
    counts[bucket] = (counts[bucket] as number) + 1;
    counts[sumAt] = (counts[sumAt] as number) + sizeBytes;
    const at = this.table[bucket] as number;
    return this.pools[at] ?? this.makePool(at);
  }

  private classForOther(sizeBytes: number): SlabPool {
    this.requireOpen();
    if (Number.isInteger(sizeBytes) && sizeBytes > this.maxBytes) {
      this.oversized += 1;
      this.largestOversizedBytes = Math.max(this.largestOversizedBytes, sizeBytes);
    }
    requireInteger('sizeBytes', sizeBytes, 1, this.maxBytes);
    const { counts, sumAt } = this;
    const bucket = this.buckets.indexOf(sizeBytes);
    counts[bucket] = (counts[bucket] as number) + 1;
    counts[sumAt] = (counts[sumAt] as number) + sizeBytes;
    const at = this.table[bucket] as number;
    return this.pools[at] ?? this.makePool(at);
  }

  private makePool(at: number): SlabPool {
    const { slotBytes, slots, growSlots } = this.settings[at] as SizeClassSetting;
    // The tag that was given up longest ago, so that handles of classes that are gone stay foreign for long.
    let tag = (this.lastTag + 1) % TAGS;
    while (this.byTag[tag] !== undefined) tag = (tag + 1) % TAGS;
    const pool = new SlabPool(
      {
        slotBytes,
        slots: Math.min(slots, this.maxSlotsPerClass),
        maxSlots: this.maxSlotsPerClass,
        ...(growSlots !== undefined && { growSlots }),
        alignment: this.alignmentBytes,
        ...this.debugging,
        name: `${this.name}/${slotBytes}`,
      },
      { slotBits: this.slotBits, tagBits: TAG_BITS, tag },
    );
    this.lastTag = tag;
    this.tagsGiven += 1;
    this.byTag[tag] = pool;
    this.pools[at] = pool;
    return pool;
  }

  /** Frees a pool whose class is gone and which has no slot in use. */
  private drop(pool: SlabPool): void {
    this.byTag[this.byTag.indexOf(pool)] = undefined;
    pool.close();
  }

  private requestsByClass(): Float64Array {
    const requests = new Float64Array(this.settings.length);
    this.table.forEach((at, bucket) => {
      requests[at] = (requests[at] as number) + (this.counts[bucket] as number);
    });
    return requests;
  }

  /** The demand of the present classes, given to those of another table by the requests that they take over. */
  private carriedInto(table: Uint8Array, classes: number): Float64Array {
    const requests = this.requestsByClass();
    const { demand } = this;
    const carried = new Float64Array(classes);
    this.table.forEach((from, bucket) => {
      const count = this.counts[bucket] as number;
      if (count === 0) return;
      const to = table[bucket] as number;
      const share = count / (requests[from] as number);
      carried[to] = (carried[to] as number) + share * (demand[from] as number);
    });
    return carried;
  }

  private open(): SlabPool[] {
    return this.byTag.filter((pool) => pool !== undefined);
  }

  private defaultSetting(slotBytes: number): SizeClassSetting {
    const slots = this.first ?? Math.min(64, Math.max(2, Math.floor(FIRST_BYTES / slotBytes)));
    return { slotBytes, slots: Math.min(slots, this.maxSlotsPerClass) };
  }

  /** A choice's classes as they would be here: rounded, ascending, the last one for `maxBytes`. */
  private checked(choice: Choice): SizeClassSetting[] {
    if (choice.kind !== 'size_classes') throw this.refused(`of kind "${choice.kind}"`);
    const given: unknown = choice.classes;
    if (!Array.isArray(given)) throw this.refused(`with classes ${describe(given)}`);
    const settings = new Map<number, SizeClassSetting>();
    for (const each of given as readonly SizeClassSetting[]) {
      requireOptions('choice.classes[]', each);
      const { slotBytes, growSlots } = each;
      requireInteger('slotBytes', slotBytes, 1, MAX_SIZE_BYTES);
      const slots = Math.min(
        requireInteger('slots', each.slots, 1, MAX_SLOTS_PER_CLASS),
        this.maxSlotsPerClass,
      );
      if (growSlots !== undefined) requireInteger('growSlots', growSlots, 1, MAX_SLOTS_PER_CLASS);
      const rounded = this.buckets.roundUp(Math.min(slotBytes, this.maxBytes));
      settings.set(rounded, { slotBytes: rounded, slots, ...(growSlots !== undefined && { growSlots }) });
    }
    return this.buckets
      .classesOf([...settings.keys()].map((size) => Math.min(size, this.maxBytes)))
      .map((slotBytes) => settings.get(slotBytes) ?? this.defaultSetting(slotBytes));
  }

  private refused(actual: string): Error {
    return fail('INVALID_ARGUMENT', {
      name: `choice for pool "${this.name}"`,
      actual,
      expected: `a choice of kind "size_classes", with at most ${TAGS} classes in use at a time`,
    });
  }

  /** Handles of classes that were there are stale; others were never ours. */
  private refuse(handle: unknown): never {
    this.requireOpen();
    const tag = ((handle as number) >> this.slotBits) & (TAGS - 1);
    const isPlausible = Number.isInteger(handle) && (handle as number) >= 0 && (handle as number) < 2 ** 31;
    const wasGiven = isPlausible && tag < Math.min(this.tagsGiven, TAGS);
    throw fail(wasGiven ? 'STALE_HANDLE' : 'FOREIGN_HANDLE', { handle: describe(handle), pool: this.name });
  }

  private requireOpen(): void {
    if (this.isClosed) throw fail('CLOSED', { what: `Pool "${this.name}"` });
  }
}

/**
 * Aligned memory outside the JavaScript heap.
 *
 * A private region is mapped by the addon (or over-allocated in an ArrayBuffer by the fallback): aligned, with
 * huge pages and prefault where asked for, and freed by `close()`. A shared region is a SharedArrayBuffer that is
 * over-allocated and offset to its alignment, because Node-API has no external shared buffers; `close()` gives its
 * pages back, its address space goes with the last thread that holds it.
 *
 * Two dangers are designed out. A view that the caller keeps past `close()` reads `undefined` and ignores writes
 * (the buffer is detached, not merely freed). A region that is dropped without `close()` is freed only when its
 * buffer, and so every view on it, is unreachable: the finalizer watches the buffer and not the `Region`.
 */
import { constants } from 'node:buffer';
import { describe, fail } from '../errors.js';
import type { NativeContract } from '../native/contract.js';
import { loadNative } from '../native/load.js';
import { unavailable, type UnavailableMetric } from '../model/metric.js';
import { isPowerOfTwo, nameOr, requireBoolean, requireInteger, requireOneOf, roundUp } from './arguments.js';
import { requireOptions } from '../options.js';

export type HugePages = 'auto' | 'never' | 'require';

/** Bytes, a power of two; or `'page'` (4096), or `'2MiB'`. */
export type Alignment = number | 'page' | '2MiB';

export interface RegionOptions {
  /** 1 to 2^40 (shared: 2^32). */
  readonly sizeBytes: number;
  /** Power of two from 8 to 2^30 bytes, `'page'` or `'2MiB'`. Default 64, a cache line. */
  readonly alignment?: Alignment;
  /**
   * `auto` advises huge pages from 2 MiB up and takes what it gets, `require` throws where they are refused.
   * Default `never`: the first touch of a huge page can cost milliseconds.
   */
  readonly hugePages?: HugePages;
  /** Touches every page at once, so that no later access faults. Default false. */
  readonly prefault?: boolean;
  /**
   * Binds the memory to a NUMA node: 0 to 1023. Default: the kernel's policy, which is the node of the thread that
   * touches a page first.
   */
  readonly numaNode?: number;
  /** A SharedArrayBuffer that worker threads can use. Default false. */
  readonly shared?: boolean;
  /** Shown in error messages. */
  readonly name?: string;
}

/** How much of a region is in physical memory now, as the kernel reports it. */
export type Residency =
  | { readonly available: true; readonly residentBytes: number; readonly hugeBytes: number }
  | UnavailableMetric;

/** What the options may hold; the compiler compares it with them. */
const OPTION_KEYS: Readonly<Record<keyof RegionOptions, true>> = {
  sizeBytes: true,
  alignment: true,
  hugePages: true,
  prefault: true,
  numaNode: true,
  shared: true,
  name: true,
};

const MAX_BYTES = 2 ** 40;
const MAX_SHARED_BYTES = 2 ** 32;
const HUGE_PAGE_BYTES = 2 * 1024 * 1024;
const PAGE_BYTES = 4096;
const MAX_NUMA_NODE = 1023;
/** Bound at once: a multiple of every page's size, and no longer than a view may be. */
const BIND_BYTES = 2 ** 30;

/** Created at the first region: importing this module must cost nothing. */
let finalizers: FinalizationRegistry<number> | undefined;

/** @internal Alignment in bytes, checked. */
export function alignmentInBytes(name: string, alignment: unknown): number {
  if (alignment === 'page') return PAGE_BYTES;
  if (alignment === '2MiB') return HUGE_PAGE_BYTES;
  if (typeof alignment === 'number' && isPowerOfTwo(alignment) && alignment >= 8 && alignment <= 2 ** 30) {
    return alignment;
  }
  throw fail('INVALID_ARGUMENT', {
    name,
    actual: describe(alignment),
    expected: "a power of two from 8 to 2^30, 'page' or '2MiB'",
  });
}

/**
 * One block of aligned memory.
 *
 * @throws INVALID_ARGUMENT for sizes and options out of range; OUT_OF_MEMORY where the system refuses;
 *   NOT_SUPPORTED where `hugePages: 'require'` or `numaNode` cannot be met. Every method throws CLOSED after `close()`.
 *
 * @example
 * using region = new Region({ sizeBytes: 1 << 20, alignment: 128 });
 * const samples = new Float64Array(region.buffer, region.offsetBytes, 1000);
 */
export class Region implements Disposable {
  readonly name: string;
  readonly sizeBytes: number;
  readonly alignmentBytes: number;
  readonly shared: boolean;
  /** Where the aligned memory begins within `buffer`. */
  readonly offsetBytes: number;
  /** How the memory was obtained. */
  readonly source: 'mmap' | 'aligned-alloc' | 'array-buffer' | 'shared-array-buffer';
  /** Whether the kernel took the advice; `residency()` tells what it really gave. */
  readonly hugePages: 'none' | 'advised' | 'refused';
  readonly prefaulted: boolean;

  /** Undefined once closed. */
  private memory: ArrayBuffer | SharedArrayBuffer | undefined;
  private readonly native: NativeContract;
  /** The addon's number for a private region; -1 for a shared one. */
  private readonly id: number;

  constructor(options: RegionOptions) {
    requireOptions('Region options', options, OPTION_KEYS);
    this.shared = requireBoolean('shared', options.shared ?? false);
    this.sizeBytes = requireInteger(
      'sizeBytes',
      options.sizeBytes,
      1,
      this.shared ? MAX_SHARED_BYTES : MAX_BYTES,
    );
    this.alignmentBytes = alignmentInBytes('alignment', options.alignment ?? 64);
    const hugePages = requireOneOf('hugePages', options.hugePages ?? 'never', ['auto', 'never', 'require']);
    const prefault = requireBoolean('prefault', options.prefault ?? false);
    const numaNode =
      options.numaNode === undefined
        ? undefined
        : requireInteger('numaNode', options.numaNode, 0, MAX_NUMA_NODE);
    this.name = nameOr('region', options.name);
    this.native = loadNative();

    if (this.shared) {
      const grant = this.allocateShared(hugePages, prefault);
      this.id = -1;
      this.memory = grant.buffer;
      this.offsetBytes = grant.offsetBytes;
      this.source = 'shared-array-buffer';
      this.hugePages = grant.hugePages;
      this.prefaulted = prefault;
      this.bind(numaNode);
      return;
    }
    // Below one huge page there is nothing to advise.
    const mode =
      hugePages === 'require' ? 2 : hugePages === 'auto' && this.sizeBytes >= HUGE_PAGE_BYTES ? 1 : 0;
    try {
      const grant = this.native.regionCreate(this.sizeBytes, this.alignmentBytes, mode, prefault);
      this.id = grant.id;
      this.memory = grant.buffer;
      this.offsetBytes = grant.offsetBytes;
      this.source = grant.source;
      this.hugePages = grant.hugePages;
      this.prefaulted = grant.prefaulted;
      finalizers ??= new FinalizationRegistry((id) => loadNative().regionClose(id));
      finalizers.register(grant.buffer, grant.id, this);
    } catch (cause) {
      throw this.explain(cause, hugePages);
    }
    this.bind(numaNode);
  }

  /** The memory. A region's part of it begins at `offsetBytes` and is `sizeBytes` long. */
  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.open();
  }

  /** A fresh view of the whole region, or of a part (up to 4 GiB). Keep it: making views is slower than using them. */
  view(offsetBytes = 0, lengthBytes?: number): Uint8Array {
    const buffer = this.open();
    requireInteger('offsetBytes', offsetBytes, 0, this.sizeBytes);
    const length = lengthBytes ?? this.sizeBytes - offsetBytes;
    requireInteger('lengthBytes', length, 0, Math.min(constants.MAX_LENGTH, this.sizeBytes - offsetBytes));
    return new Uint8Array(buffer, this.offsetBytes + offsetBytes, length);
  }

  /**
   * Gives the whole pages inside the range back to the system; they read as zeros afterwards, for every thread.
   * Returns the bytes given back: 0 where the region lies inside a buffer of V8's own and cannot be told from it.
   */
  trim(offsetBytes = 0, lengthBytes?: number): number {
    this.open();
    requireInteger('offsetBytes', offsetBytes, 0, this.sizeBytes);
    const length = lengthBytes ?? this.sizeBytes - offsetBytes;
    requireInteger('lengthBytes', length, 0, this.sizeBytes - offsetBytes);
    if (length === 0) return 0;
    if (!this.shared) return this.native.regionTrim(this.id, offsetBytes, length);
    return this.native.discardShared(this.view(offsetBytes, length));
  }

  /** Asks the kernel how much of the region is resident, and in huge pages. Takes milliseconds. */
  residency(): Residency {
    this.open();
    const out = new Float64Array(2);
    if (this.shared) this.native.viewResidency(this.view(), out);
    else this.native.regionResidency(this.id, out);
    const [residentBytes = NaN, hugeBytes = NaN] = out;
    if (Number.isNaN(hugeBytes) && !Number.isNaN(residentBytes)) {
      return unavailable(
        'MERGED_MAPPING',
        'The kernel merged the region with a neighbouring mapping that has huge pages; the two cannot be told apart.',
        'Read `anonymousHugeBytes` of the whole process instead.',
      );
    }
    if (Number.isNaN(residentBytes)) {
      return unavailable(
        'PLATFORM',
        'This system does not report the residency of a single region.',
        'Use Linux with the native addon; `sysopt doctor` tells whether it is loaded.',
      );
    }
    return { available: true, residentBytes, hugeBytes };
  }

  get closed(): boolean {
    return this.memory === undefined;
  }

  /**
   * Private: detaches the buffer, then frees its memory. Shared: gives the pages back, so that other holders find
   * zeros; the address space goes with the last of them. Closing twice is harmless.
   */
  close(): void {
    if (this.memory === undefined) return;
    if (this.shared) this.trim();
    this.memory = undefined;
    if (this.shared) return;
    finalizers?.unregister(this);
    this.native.regionClose(this.id);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private open(): ArrayBuffer | SharedArrayBuffer {
    if (this.memory === undefined) throw fail('CLOSED', { what: `Region "${this.name}"` });
    return this.memory;
  }

  private allocateShared(
    hugePages: HugePages,
    prefault: boolean,
  ): {
    buffer: SharedArrayBuffer;
    offsetBytes: number;
    hugePages: 'none' | 'advised' | 'refused';
  } {
    const wantsHuge = hugePages === 'require' || (hugePages === 'auto' && this.sizeBytes >= HUGE_PAGE_BYTES);
    // A huge page must itself be aligned, or the kernel cannot give one at the region's start.
    const alignment = wantsHuge ? Math.max(this.alignmentBytes, HUGE_PAGE_BYTES) : this.alignmentBytes;
    const { buffer, offsetBytes } = allocateAligned(this.native, this.sizeBytes, alignment, true);
    const view = new Uint8Array(buffer, offsetBytes, this.sizeBytes);
    let granted: 'none' | 'advised' | 'refused' = 'none';
    if (wantsHuge) {
      granted = this.native.adviseHugePages(view) ? 'advised' : 'refused';
      if (granted === 'refused' && hugePages === 'require') throw this.hugePagesRefused();
    }
    if (prefault) {
      for (let at = 0; at < view.length; at += PAGE_BYTES) view[at] = 0;
      // With pages present, `require` can be held to what it says.
      const out = new Float64Array(2);
      if (hugePages === 'require') this.native.viewResidency(view, out);
      const missing = Math.floor(view.length / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES - (out[1] as number);
      if (hugePages === 'require' && missing > 0) throw this.hugePagesRefused();
    }
    return { buffer: buffer as SharedArrayBuffer, offsetBytes, hugePages: granted };
  }

  /** Prefaulted pages move, so it does not matter that they were touched before. */
  private bind(numaNode: number | undefined): void {
    if (numaNode === undefined) return;
    try {
      for (let at = 0; at < this.sizeBytes; at += BIND_BYTES) {
        this.native.bindToNode(this.view(at, Math.min(BIND_BYTES, this.sizeBytes - at)), numaNode);
      }
    } catch (cause) {
      this.close();
      throw this.numaRefused(numaNode, cause);
    }
  }

  private numaRefused(numaNode: number, cause: unknown): Error {
    const { code } = cause as { code?: unknown };
    const hasNodes = code !== 'ENOSYS' && code !== 'ENOTSUP';
    return fail(
      'NOT_SUPPORTED',
      {
        what: `numaNode: ${numaNode}`,
        where: hasNodes ? `for this region on this host (${String(code)})` : 'on this system',
        remedy: hasNodes
          ? 'Choose a node of /sys/devices/system/node/online, for a region of at least a page.'
          : 'Leave numaNode out; the native addon on Linux with several nodes can bind memory.',
      },
      { cause },
    );
  }

  private hugePagesRefused(cause?: unknown): Error {
    return fail(
      'NOT_SUPPORTED',
      {
        what: "hugePages: 'require'",
        where: 'for this region on this host',
        remedy:
          "Use hugePages: 'auto', or enable transparent huge pages (`madvise` in /sys/kernel/mm/transparent_hugepage/enabled).",
      },
      { cause },
    );
  }

  private explain(cause: unknown, hugePages: HugePages): unknown {
    const code = (cause as { code?: unknown }).code;
    if (code === 'ENOMEM' || (cause instanceof RangeError && /alloc/i.test(cause.message))) {
      return outOfMemory(this.sizeBytes, `region "${this.name}"`, cause);
    }
    if (hugePages === 'require' && typeof code === 'string') return this.hugePagesRefused(cause);
    return cause;
  }
}

function outOfMemory(sizeBytes: number, what: string, cause: unknown): Error {
  return fail('OUT_OF_MEMORY', { sizeBytes, what }, { cause });
}

/**
 * @internal An ordinary or shared buffer, over-allocated so that an aligned start lies inside it. Ordinary buffers
 * are as fast as mapped ones and are freed by the collector alone, so arrays that nobody closes use them. Where
 * addresses cannot be known (fallback) the start is left at 0.
 */
export function allocateAligned(
  native: NativeContract,
  sizeBytes: number,
  alignmentBytes: number,
  shared: boolean,
): { buffer: ArrayBuffer | SharedArrayBuffer; offsetBytes: number } {
  const bytes = roundUp(sizeBytes, 8) + alignmentBytes;
  let buffer: ArrayBuffer | SharedArrayBuffer;
  try {
    buffer = shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  } catch (cause) {
    throw outOfMemory(sizeBytes, shared ? 'a shared buffer' : 'a buffer', cause);
  }
  const address = native.addressOf(new Uint8Array(buffer, 0, 1));
  const beyond = Number(address % BigInt(alignmentBytes));
  return { buffer, offsetBytes: beyond === 0 ? 0 : alignmentBytes - beyond };
}

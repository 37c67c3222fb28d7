/**
 * What a slab pool can find out about its users while they are debugged: writes to slots after their release, and
 * who took the slots that nobody gives back.
 *
 * Method: a released slot is filled with a pattern that the next acquire of it looks for; acquisitions and releases
 * keep a captured stack per slot, which V8 turns into text only when someone reads it. A pool without these options
 * never calls this module.
 *
 * Rejected: unmapping released slots, as guard allocators do. It finds reads too, but takes a page a slot and ends
 * the process where this throws.
 */
import { fail } from '../errors.js';

/** Slots in use that were taken at one place in the code. */
export interface LeakSite {
  /** The innermost frame outside the pool, as V8 prints it: `function (file:line:column)`. */
  readonly site: string;
  /** Slots in use that were acquired there. */
  readonly count: number;
  readonly sizeBytes: number;
  /** Age of the oldest of them. */
  readonly oldestMs: number;
  /** The oldest one's whole stack. */
  readonly stack: string;
}

export interface Capture {
  readonly stack?: string;
  readonly atMs: number;
}

/** Unlikely as data, odd as an address, and a large negative number in every integer type. */
const PATTERN = 0xdb;
/** The pattern once, to compare whole slots at the speed of memcmp. */
const COMPARED_BYTES = 4096;
const pattern = Buffer.alloc(COMPARED_BYTES, PATTERN);

export class SlotTrace {
  private readonly poolName: string;
  private readonly poison: boolean;
  private readonly captureStacks: boolean;
  /** Slots that hold the pattern. */
  private readonly poisoned = new Set<number>();
  private readonly acquired = new Map<number, Capture>();
  private readonly released = new Map<number, Capture>();

  constructor(poolName: string, poison: boolean, captureStacks: boolean) {
    this.poolName = poolName;
    this.poison = poison;
    this.captureStacks = captureStacks;
  }

  /** The present place in the code, where stacks are captured. */
  here(): Capture | undefined {
    return this.captureStacks ? capture() : undefined;
  }

  /** The slot was taken there. */
  noteSite(slot: number, at: Capture): void {
    if (this.acquired.has(slot)) this.acquired.set(slot, at);
  }

  /**
   * @throws USE_AFTER_RELEASE where the pattern is damaged. The slot is mended and still free then.
   */
  noteAcquire(slot: number, view: Uint8Array): void {
    if (this.poisoned.has(slot)) {
      const at = firstDamage(view);
      if (at >= 0) {
        const actual = `0x${(view[at] as number).toString(16).padStart(2, '0')}`;
        view.fill(PATTERN);
        const release = this.released.get(slot);
        const releasedAt = release === undefined ? '' : `; it was released at ${siteOf(release)}`;
        throw fail('USE_AFTER_RELEASE', { slot, pool: this.poolName, offsetBytes: at, actual, releasedAt });
      }
      this.poisoned.delete(slot);
    }
    if (this.captureStacks) this.acquired.set(slot, capture());
  }

  noteRelease(slot: number, view: Uint8Array): void {
    if (this.captureStacks) {
      this.acquired.delete(slot);
      this.released.set(slot, capture());
    }
    if (!this.poison) return;
    view.fill(PATTERN);
    this.poisoned.add(slot);
  }

  /** Where the slot was released last, as the cause of a stale handle's error. */
  lastRelease(slot: number): Error | undefined {
    const release = this.released.get(slot);
    if (release === undefined) return undefined;
    const error = new Error('The slot was released here.');
    error.stack = [error.message, ...framesOf(release)].join('\n    at ');
    return error;
  }

  /** The pages of free slots went back to the system and read as zeros. */
  forgetPoison(): void {
    this.poisoned.clear();
  }

  /** Most slots first. */
  leaks(slotBytes: number): LeakSite[] {
    if (!this.captureStacks) {
      throw fail('NOT_SUPPORTED', {
        what: 'leaks()',
        where: 'without acquisition stacks',
        remedy: 'Create the pool with captureStacks: true.',
      });
    }
    const nowMs = performance.now();
    const bySite = new Map<string, { count: number; oldest: Capture }>();
    for (const taken of this.acquired.values()) {
      const site = siteOf(taken);
      const group = bySite.get(site) ?? { count: 0, oldest: taken };
      const oldest = taken.atMs < group.oldest.atMs ? taken : group.oldest;
      bySite.set(site, { count: group.count + 1, oldest });
    }
    return [...bySite]
      .map(([site, { count, oldest }]) => ({
        site,
        count,
        sizeBytes: count * slotBytes,
        oldestMs: nowMs - oldest.atMs,
        stack: framesOf(oldest).join('\n'),
      }))
      .toSorted((a, b) => b.count - a.count || b.oldestMs - a.oldestMs);
  }
}

/** V8 stores frames at once and makes text of them at the first read of `stack`. */
function capture(): Capture {
  const taken = { atMs: performance.now() };
  Error.captureStackTrace(taken, capture);
  return taken;
}

/** The frames outside the pool, innermost first. */
function framesOf({ stack = '' }: Capture): string[] {
  const frames = Array.from(stack.matchAll(/^\s+at (.*)$/gm), ([, frame = '']) => frame);
  const first = frames.findIndex(
    (frame) => !/^(async )?(Unchecked)?(SlabPool|SizeClassPool|SlotTrace)\./.test(frame),
  );
  return first < 0 ? frames : frames.slice(first);
}

function siteOf(taken: Capture): string {
  return framesOf(taken)[0] ?? 'unknown';
}

/** Index of the first byte that is not the pattern; -1 where all are. */
function firstDamage(view: Uint8Array): number {
  for (let at = 0; at < view.length; at += COMPARED_BYTES) {
    const part = view.subarray(at, at + COMPARED_BYTES);
    if (pattern.compare(part, 0, part.length, 0, part.length) === 0) continue;
    return at + part.findIndex((byte) => byte !== PATTERN);
  }
  return -1;
}

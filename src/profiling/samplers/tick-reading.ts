import { TICK_COLUMNS, type NativeContract } from '../../native/contract.js';

export type TickColumn = (typeof TICK_COLUMNS)[number];
export type TickRow = Readonly<Record<TickColumn, number>>;

/** Samplers of one tick come within less than this of each other and share one reading. */
const SAME_TICK_MS = 10;

/** The kernel's figures for all samplers of a tick, read once. */
export class TickReading {
  readonly #native: NativeContract;
  readonly #out = new Float64Array(TICK_COLUMNS.length);
  #readAtMs = -Infinity;
  #row: TickRow | undefined;

  constructor(native: NativeContract) {
    this.#native = native;
  }

  /** @param fresh for the ends of a window, where a shared reading would be too old. */
  read(fresh = false): TickRow {
    const now = performance.now();
    if (!fresh && this.#row !== undefined && now - this.#readAtMs < SAME_TICK_MS) return this.#row;
    this.#readAtMs = now;
    this.#native.readTick(this.#out);
    const row = {} as Record<TickColumn, number>;
    for (let i = 0; i < TICK_COLUMNS.length; i += 1) row[TICK_COLUMNS[i]!] = this.#out[i]!;
    this.#row = row;
    return row;
  }

  close(): void {
    this.#native.closeTick();
  }
}

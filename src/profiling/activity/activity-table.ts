/**
 * Operations in flight and done, by kind and by call site, in bounded memory.
 *
 * Every operation is counted by kind. The call site, whose stack costs a few microseconds, is taken from a random
 * one in `stride`, and stands for that many; the stride follows the rate, within a tenth of a second too, so that a
 * program with a hundred thousand operations a second pays as much as one with a thousand, from the first moment on.
 */
import type { ActivityKind } from '../../model/signals.js';
import { captureSite, type CallSite } from './call-site.js';
import { Latency } from './latency.js';

export interface ActivityRow {
  readonly kind: ActivityKind;
  readonly name: string;
  readonly target: string;
  readonly site: CallSite | null;
  readonly latency: Latency;
  errors: number;
  bytes: number;
  inFlight: number;
  maxInFlight: number;
  newConnections: number;
  /** Operations for which `newConnections` could be told. */
  connectionKnown: number;
  /** Greatest number of bytes seen waiting in a stream. */
  peakBufferedBytes: number;
}

export interface KindTotals {
  readonly latency: Latency;
  errors: number;
  bytes: number;
  inFlight: number;
  maxInFlight: number;
}

/** One operation under way. */
export interface Operation {
  readonly totals: KindTotals;
  readonly row: ActivityRow | null;
  readonly weight: number;
  readonly startedAt: number;
  done: boolean;
}

export interface Outcome {
  readonly failed?: boolean;
  readonly bytes?: number;
  /** Whether the operation had to open a connection; absent where that is not known. */
  readonly newConnection?: boolean;
}

const MAX_ROWS = 512;
/** Stacks taken in a tenth of a second: about 0.4 ms of it. */
const CAPTURES_PER_TICK = 80;
const MAX_STRIDE = 4096;

type Below = (...args: never[]) => unknown;

export class ActivityTable {
  readonly #rows = new Map<string, ActivityRow>();
  readonly #kinds = new Map<ActivityKind, KindTotals>();
  #stride = 1;
  #captures = 0;
  recording = false;

  /** @param below the traced function; the stack begins at its caller. A `site` is used instead where it is given. */
  begin(kind: ActivityKind, name: string, target: string, below: Below, site?: CallSite | null): Operation {
    const totals = this.totals(kind);
    totals.inFlight += 1;
    totals.maxInFlight = Math.max(totals.maxInFlight, totals.inFlight);
    // Taking the stack may widen it, for those that follow.
    const stride = this.#stride;
    const isSampled = stride === 1 || Math.random() * stride < 1;
    let row: ActivityRow | null = null;
    if (isSampled) {
      row = this.row(kind, name, target, site === undefined ? this.capture(below) : site);
      row.inFlight += 1;
      row.maxInFlight = Math.max(row.maxInFlight, row.inFlight);
    }
    return { totals, row, weight: stride, startedAt: performance.now(), done: false };
  }

  /** Returns the operation's duration in ms. A second call does nothing. */
  end(operation: Operation, { failed, bytes, newConnection }: Outcome = {}): number {
    if (operation.done) return 0;
    operation.done = true;
    const { totals, row, weight } = operation;
    const ms = performance.now() - operation.startedAt;
    totals.inFlight -= 1;
    if (row !== null) row.inFlight -= 1;
    if (!this.recording) return ms;
    totals.latency.add(ms);
    if (failed === true) totals.errors += 1;
    if (bytes !== undefined) totals.bytes += bytes;
    if (row === null) return ms;
    row.latency.add(ms, weight);
    if (failed === true) row.errors += weight;
    if (bytes !== undefined) row.bytes += bytes * weight;
    if (newConnection !== undefined) {
      row.connectionKnown += weight;
      if (newConnection) row.newConnections += weight;
    }
    return ms;
  }

  /** Forgets an operation that never began. */
  cancel(operation: Operation): void {
    if (operation.done) return;
    operation.done = true;
    operation.totals.inFlight -= 1;
    if (operation.row !== null) operation.row.inFlight -= 1;
  }

  capture(below: Below): CallSite | null {
    this.#captures += 1;
    if (this.#captures > CAPTURES_PER_TICK) this.#widen();
    return captureSite(below);
  }

  totals(kind: ActivityKind): KindTotals {
    let totals = this.#kinds.get(kind);
    if (totals === undefined) {
      totals = { latency: new Latency(), errors: 0, bytes: 0, inFlight: 0, maxInFlight: 0 };
      this.#kinds.set(kind, totals);
    }
    return totals;
  }

  row(kind: ActivityKind, name: string, target: string, site: CallSite | null): ActivityRow {
    let key = `${kind}|${name}|${target}|${site?.key ?? ''}`;
    let row = this.#rows.get(key);
    if (row === undefined && this.#rows.size >= MAX_ROWS) {
      // Full: what comes later is kept by name alone.
      key = `${kind}|${name}`;
      row = this.#rows.get(key);
      if (row === undefined && this.#rows.size >= MAX_ROWS * 2) key = 'others';
      row ??= this.#rows.get(key);
    }
    if (row === undefined) {
      row = {
        kind,
        name,
        target,
        site,
        latency: new Latency(),
        errors: 0,
        bytes: 0,
        inFlight: 0,
        maxInFlight: 0,
        newConnections: 0,
        connectionKnown: 0,
        peakBufferedBytes: 0,
      };
      this.#rows.set(key, row);
    }
    return row;
  }

  rows(): readonly ActivityRow[] {
    return [...this.#rows.values()];
  }

  /** The tenth of a second has had its stacks and goes on: what is left of it takes ever fewer. */
  #widen(): void {
    this.#stride = Math.min(MAX_STRIDE, this.#stride * 2);
    this.#captures = CAPTURES_PER_TICK / 2;
  }

  /** Ten times a second: takes more stacks again where there is little to take them of. */
  adapt(): void {
    if (this.#captures < CAPTURES_PER_TICK / 4 && this.#stride > 1) this.#stride /= 2;
    this.#captures = 0;
  }
}

/** Sums sampled time by responsible function and kind of operation. */
import type { OperationCost } from '../../model/signals.js';
import type { Attribution, LeafAttribution } from './attribution.js';
import type { Frame, FrameResolver } from './frames.js';

interface Row {
  readonly responsible: Frame;
  readonly via: Frame | null;
  readonly kind: OperationCost['kind'];
  readonly names: Map<string, number>;
  readonly lines: Map<number, number>;
  readonly callers: Map<string, { frame: Frame; ms: number }>;
  totalMs: number;
  stubMs: number;
  makingMs: number;
  scatteredMs: number;
  sharedWriteMs: number;
  startupMs: number;
  runMs: number;
  longestRunMs: number;
  lastBusySample: number;
}

const MAX_CALLERS = 6;

export interface BusySample {
  readonly ms: number;
  readonly runMs: number;
  readonly stub: boolean;
  /** Grows by one from each busy sample to the next, and by more over idle time. */
  readonly busySample: number;
}

export class OperationTable {
  readonly #frames: FrameResolver;
  readonly #rows = new Map<string, Row>();

  constructor(frames: FrameResolver) {
    this.#frames = frames;
  }

  add(leaf: LeafAttribution, { ms, runMs, stub, busySample }: BusySample): void {
    for (const part of leaf.parts) {
      if (part.responsible === null) continue;
      const row = this.#row(part, part.responsible);
      const partMs = ms * part.share;
      row.totalMs += partMs;
      if (
        stub &&
        part.leafLine !== undefined &&
        this.#frames.sources.readsProperties(part.leaf.file, part.leafLine)
      ) {
        row.stubMs += partMs;
      }
      if (part.line !== undefined && this.#frames.sources.makesObjects(part.responsible.file, part.line)) {
        row.makingMs += partMs;
      }
      this.#addAccess(row, part, partMs);
      if (leaf.startup) row.startupMs += partMs;
      row.names.set(part.operation.name, (row.names.get(part.operation.name) ?? 0) + partMs);
      if (part.line !== undefined) row.lines.set(part.line, (row.lines.get(part.line) ?? 0) + partMs);
      const continues = row.lastBusySample === busySample || row.lastBusySample === busySample - 1;
      const partRunMs = runMs * part.share;
      row.runMs = continues ? row.runMs + partRunMs : partRunMs;
      row.lastBusySample = busySample;
      row.longestRunMs = Math.max(row.longestRunMs, row.runMs);
      countCallers(row, leaf.path, part.responsible, partMs);
    }
  }

  #addAccess(row: Row, { line, responsible }: Attribution, ms: number): void {
    if (line === undefined || responsible === null) return;
    const { sources } = this.#frames;
    if (sources.scattersAccess(responsible.file, line)) row.scatteredMs += ms;
    if (sources.writesShared(responsible.file, line)) row.sharedWriteMs += ms;
  }

  costs(busyMs: number, limit: number): OperationCost[] {
    return [...this.#rows.values()]
      .sort((a, b) => b.totalMs - a.totalMs)
      .slice(0, limit)
      .map((row) => this.#cost(row, busyMs));
  }

  #row(part: Attribution, responsible: Frame): Row {
    const via = part.via === responsible ? null : part.via;
    const key = `${responsible.key}|${part.operation.kind}|${via === null ? '' : packageOf(via.file)}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = {
        responsible,
        via,
        kind: part.operation.kind,
        names: new Map(),
        lines: new Map(),
        callers: new Map(),
        totalMs: 0,
        stubMs: 0,
        makingMs: 0,
        scatteredMs: 0,
        sharedWriteMs: 0,
        startupMs: 0,
        runMs: 0,
        longestRunMs: 0,
        lastBusySample: -2,
      };
      this.#rows.set(key, row);
    }
    return row;
  }

  #cost(row: Row, busyMs: number): OperationCost {
    const line = greatest(row.lines) ?? Math.max(1, row.responsible.line);
    return {
      kind: row.kind,
      name: lockName(row) ?? greatest(row.names) ?? row.kind,
      location: this.#frames.location(row.responsible, line),
      functionLine: this.#frames.location(row.responsible).line,
      ...(row.via === null ? {} : { via: this.#frames.location(row.via) }),
      totalMs: row.totalMs,
      share: row.totalMs / busyMs,
      longestRunMs: row.longestRunMs,
      stubMs: row.stubMs,
      makingMs: row.makingMs,
      ...(row.scatteredMs > 0 && { scatteredMs: row.scatteredMs }),
      ...(row.sharedWriteMs > 0 && { sharedWriteMs: row.sharedWriteMs }),
      startupMs: row.startupMs,
      callers: [...row.callers.values()]
        .sort((a, b) => b.ms - a.ms)
        .slice(0, MAX_CALLERS)
        .map(({ frame, ms }) => {
          const { file, line: callerLine } = this.#frames.location(frame);
          return { function: frame.name, file, line: callerLine, share: ms / row.totalMs };
        }),
    };
  }
}

const SWAPS = ['compareExchange', 'exchange'];

/** A function that tries to swap a value and then sleeps takes a lock; one that only sleeps may wait for work. */
function lockName({ kind, responsible }: Row): string | undefined {
  if (kind !== 'lock') return undefined;
  const swap = SWAPS.find((name) => responsible.function?.callees.has(name) === true);
  return swap === undefined ? undefined : `Atomics.${swap}`;
}

/** Once per function, recursion or not. */
function countCallers(row: Row, path: readonly Frame[], responsible: Frame, ms: number): void {
  const seen = new Set<string>([responsible.key]);
  for (let at = path.length - 1; at >= 0; at -= 1) {
    const frame = path[at]!;
    if (frame.origin !== 'user' || seen.has(frame.key)) continue;
    seen.add(frame.key);
    const caller = row.callers.get(frame.key);
    if (caller === undefined) row.callers.set(frame.key, { frame, ms });
    else caller.ms += ms;
  }
}

function greatest<K>(weights: ReadonlyMap<K, number>): K | undefined {
  let best: K | undefined;
  let bestWeight = -1;
  for (const [key, weight] of weights) {
    if (weight > bestWeight) [best, bestWeight] = [key, weight];
  }
  return best;
}

/** `/app/node_modules/@a/b/lib/x.js` → `@a/b`. */
export function packageOf(file: string): string {
  const path = file.split(/[\\/]node_modules[\\/]/).at(-1) ?? file;
  return /^(@[^\\/]+[\\/])?[^\\/]+/.exec(path)?.[0].replace('\\', '/') ?? path;
}

/** From rows of the table to operations by function and line of the user's source. */
import type { CodeLocation } from '../../model/finding.js';
import type { ActivityCost, SerialAwait } from '../../model/signals.js';
import { FrameResolver, type Frame } from '../cpu/frames.js';
import { fileOfUrl, type SourceIndex } from '../source/source-index.js';
import type { ActivityRow } from './activity-table.js';
import type { CallFrame, CallSite } from './call-site.js';
import { Latency } from './latency.js';
import type { ActivityTracer } from './tracer.js';

export interface Resolved {
  readonly location: CodeLocation;
  readonly functionLine: number;
  readonly via: CodeLocation | undefined;
  readonly serialIn: SerialAwait | undefined;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Building = Writable<Omit<ActivityCost, 'p50Ms' | 'p99Ms'>> & {
  readonly latency: Latency;
  connectionKnown: number;
  newConnections: number;
};

const ENDLESS: ReadonlySet<ActivityCost['kind']> = new Set(['crypto', 'zlib', 'fs', 'dns']);

/** @param maxRows places to keep, by the time spent there. */
export function summariseActivities(
  rows: readonly ActivityRow[],
  { openDescriptors, openSockets }: Pick<ActivityTracer, 'openDescriptors' | 'openSockets'>,
  sources: SourceIndex,
  maxRows: number,
): ActivityCost[] {
  const places = new PlaceResolver(sources);
  const merged = new Map<string, Building>();
  // What goes over the sockets of HTTP is timed as requests already.
  const httpPorts = new Set(rows.filter(({ kind }) => kind === 'http').map(({ target }) => portOf(target)));
  for (const row of rows) {
    if (row.kind === 'socket' && httpPorts.has(portOf(row.target))) continue;
    const place = places.resolve(row.site);
    const building = find(merged, row.kind, row.name, rowTarget(row), place);
    building.latency.merge(row.latency);
    building.errors += row.errors;
    building.bytes += row.bytes;
    building.maxInFlight = Math.max(building.maxInFlight, row.maxInFlight);
    building.connectionKnown += row.connectionKnown;
    building.newConnections += row.newConnections;
    if (row.peakBufferedBytes > 0)
      building.peakBufferedBytes = Math.max(building.peakBufferedBytes ?? 0, row.peakBufferedBytes);
    if (place?.serialIn !== undefined) building.serialIn ??= place.serialIn;
  }
  for (const { name, site } of openDescriptors.values()) {
    const building = find(merged, 'fs', name, undefined, places.resolve(site));
    building.openDescriptors = (building.openDescriptors ?? 0) + 1;
  }
  for (const site of openSockets.values()) {
    const building = find(merged, 'connect', 'open socket', undefined, places.resolve(site));
    building.openDescriptors = (building.openDescriptors ?? 0) + 1;
  }
  return [...merged.values()]
    .filter(
      // What began and did not end in the window has no latency, but fills the pool all the same.
      ({ latency, openDescriptors: open, kind, maxInFlight }) =>
        latency.weight > 0 || (open ?? 0) > 0 || (ENDLESS.has(kind) && maxInFlight > 0),
    )
    .sort((a, b) => b.latency.totalMs - a.latency.totalMs)
    .slice(0, maxRows)
    .map(({ latency, connectionKnown, newConnections, ...rest }) => ({
      ...rest,
      count: latency.weight,
      totalMs: latency.totalMs,
      p50Ms: finite(latency.percentile(0.5)),
      p99Ms: finite(latency.percentile(0.99)),
      maxMs: latency.maxMs,
      ...(connectionKnown > 0 ? { newConnectionShare: newConnections / connectionKnown } : {}),
    }));
}

function portOf(target: string): string {
  return target.slice(target.lastIndexOf(':') + 1);
}

/** Paths are many and say little; hosts are few and say where. */
function rowTarget({ kind, target }: ActivityRow): string | undefined {
  return kind === 'fs' || kind === 'fs-sync' || target === '' ? undefined : target;
}

function find(
  merged: Map<string, Building>,
  kind: ActivityCost['kind'],
  name: string,
  target: string | undefined,
  place: Resolved | null,
): Building {
  const where =
    place === null
      ? ''
      : `${place.location.file}:${place.location.line}:${place.functionLine}:${place.serialIn?.location.line ?? ''}`;
  const key = `${kind}|${name}|${target ?? ''}|${where}`;
  let building = merged.get(key);
  if (building === undefined) {
    building = {
      kind,
      name,
      ...(target === undefined ? {} : { target }),
      ...(place === null ? {} : { location: place.location, functionLine: place.functionLine }),
      ...(place?.via === undefined ? {} : { via: place.via }),
      count: 0,
      errors: 0,
      totalMs: 0,
      maxMs: 0,
      bytes: 0,
      maxInFlight: 0,
      latency: new Latency(),
      connectionKnown: 0,
      newConnections: 0,
    };
    merged.set(key, building);
  }
  return building;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** Resolves call sites to places in the source that the user wrote. */
export class PlaceResolver {
  readonly #sources: SourceIndex;
  readonly #frames: FrameResolver;
  readonly #known = new Map<string, Resolved | null>();

  constructor(sources: SourceIndex) {
    this.#sources = sources;
    this.#frames = new FrameResolver(sources);
  }

  resolve(site: CallSite | null): Resolved | null {
    if (site === null) return null;
    let known = this.#known.get(site.key);
    if (known === undefined) {
      known = this.#resolve(site.frames);
      this.#known.set(site.key, known);
    }
    return known;
  }

  #resolve(frames: readonly CallFrame[]): Resolved | null {
    const user = frames.findIndex(({ isDependency }) => !isDependency);
    const at = user >= 0 ? user : frames.length - 1;
    const frame = frames[at];
    if (frame === undefined) return null;
    const own = this.#named(frames, at);
    return {
      location: this.#frames.location(own, frame.line),
      functionLine: this.#frames.location(own).line,
      via: at > 0 ? this.#frames.location(this.#frame(frames[at - 1]!), frames[at - 1]!.line) : undefined,
      serialIn: user >= 0 ? this.#serial(frames.slice(user)) : undefined,
    };
  }

  #frame({ url, line, column, functionName, isDependency }: CallFrame): Frame {
    const file = fileOfUrl(url);
    const origin = isDependency ? 'dependency' : 'user';
    const found = this.#sources.functionAt(file, line, column);
    if (found !== null) return this.#frames.ofFunction(file, origin, found);
    const name = functionName || '(module)';
    return { key: `${url}:${name}`, name, origin, file, line, column, function: null, isUnnamed: false };
  }

  /** An anonymous function counts as the one around it, where that is on the stack too or holds it as its code. */
  #named(frames: readonly CallFrame[], at: number): Frame {
    let frame = this.#frame(frames[at]!);
    for (let above = at + 1; above < frames.length; above += 1) {
      if (!frame.isUnnamed || frame.function?.parent == null) break;
      const candidate = this.#frame(frames[above]!);
      if (candidate.function !== null && candidate.function === frame.function.parent) frame = candidate;
    }
    return frame;
  }

  /** The innermost function on the stack in which the wait for this operation stands in a row needlessly. */
  #serial(frames: readonly CallFrame[]): SerialAwait | undefined {
    for (let at = 0; at < frames.length; at += 1) {
      const { url, line, column, isDependency } = frames[at]!;
      if (isDependency) continue;
      const place = this.#sources.serialAwaitAt(fileOfUrl(url), line, column);
      if (place?.shape == null) continue;
      const own = this.#named(frames, at);
      return {
        location: this.#frames.location(own, place.line),
        functionLine: this.#frames.location(own).line,
        shape: place.shape,
      };
    }
    return undefined;
  }
}

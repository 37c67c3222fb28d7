/**
 * A result's stacks as pprof: gzipped protocol buffers, read by `go tool pprof`, speedscope, Pyroscope and Parca.
 *
 * Encoded by `pprof-format` (Datadog, MIT, no dependencies of its own): the encoding is small, but its rules (string
 * table, packed fields, absent zeros) are what readers are strict about. Only the command line loads this module.
 *
 * @see https://github.com/google/pprof/blob/main/proto/profile.proto
 */
import { gzipSync } from 'node:zlib';
import {
  Function as PprofFunction,
  Label,
  Line,
  Location,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format';
import type { ProfilingResult } from '../model/profiling-result.js';
import type { StackNode } from '../model/signals.js';
import { callStacks } from './call-stacks.js';
import { formatFunctionName } from './format.js';

const NS_PER_MS = 1e6;

/**
 * @returns a gzipped profile of `cpu` in nanoseconds, or of `alloc_space` in bytes for a memory profile. Samples of
 *   worker threads carry the label `thread`. Costs some 10 ms.
 *
 * @example
 * await writeFile('app.pb.gz', renderPprof(result)); // go tool pprof -http : app.pb.gz
 */
export function renderPprof(result: ProfilingResult): Uint8Array {
  const isMemory = result.type === 'memory';
  const strings = new StringTable();
  const places = new Places(strings);
  const type = ValueType.create({
    type: strings.dedup(isMemory ? 'alloc_space' : 'cpu'),
    unit: strings.dedup(isMemory ? 'bytes' : 'nanoseconds'),
  });
  const threadKey = strings.dedup('thread');
  const sample = callStacks(result).map(({ frames, selfValue, thread }) =>
    Sample.create({
      // Innermost first, the other way round than everywhere else.
      locationId: frames.map((frame) => places.idOf(frame)).reverse(),
      value: [Math.round(selfValue * (isMemory ? 1 : NS_PER_MS))],
      label: thread === undefined ? [] : [Label.create({ key: threadKey, str: strings.dedup(thread) })],
    }),
  );
  const profile = new Profile({
    sampleType: [type],
    sample,
    location: places.locations,
    function: places.functions,
    stringTable: strings,
    timeNanos: BigInt(Date.parse(result.createdAt)) * BigInt(NS_PER_MS),
    durationNanos: Math.round(result.durationMs * NS_PER_MS),
    periodType: type,
    comment: [strings.dedup(`${result.id}: ${result.target.description}`)],
  });
  return gzipSync(profile.encode());
}

/** Functions and their places, each once. A stored frame has one line, so that the two go by the same number. */
class Places {
  readonly locations: Location[] = [];
  readonly functions: PprofFunction[] = [];
  readonly #strings: StringTable;
  readonly #ids = new Map<string, number>();

  constructor(strings: StringTable) {
    this.#strings = strings;
  }

  idOf(frame: StackNode): number {
    const name = formatFunctionName(frame.name);
    const { file = '', line = 0 } = frame;
    const key = JSON.stringify([name, file, line]);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#ids.size + 1;
    this.#ids.set(key, id);
    const text = this.#strings.dedup(name);
    this.functions.push(
      PprofFunction.create({
        id,
        name: text,
        systemName: text,
        filename: this.#strings.dedup(file),
        startLine: line,
      }),
    );
    this.locations.push(Location.create({ id, line: [Line.create({ functionId: id, line })] }));
    return id;
  }
}

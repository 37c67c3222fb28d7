/**
 * The events that the kernel names for this machine's own units, under `/sys/bus/event_source/devices`.
 *
 * A unit's folder has its `type`, an `events/` folder with a line an event (`event=0x3c,umask=0x00`), and a `format/`
 * folder that says which bits of which configuration each term fills (`config:0-7,21`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const DEVICES = '/sys/bus/event_source/devices';

/** One named event of a unit, ready for `perf_event_open(2)`. */
export interface CounterAlias {
  /** As asked for: `cpu/cache-misses/`. */
  readonly name: string;
  readonly type: number;
  readonly config: number;
  readonly config1: number;
  /** False for units outside the cores (memory controllers, packages), which count per CPU and not per thread. */
  readonly perThread: boolean;
}

/**
 * Every named event of this machine; empty where the kernel names none, as on machines without a performance
 * monitoring unit. Reads a few hundred small files: some milliseconds.
 *
 * @example
 * listCounterAliases().map(({ name }) => name);   // ['cpu/branch-instructions/', 'cpu/bus-cycles/', …]
 */
export function listCounterAliases(devices: string = DEVICES): readonly CounterAlias[] {
  return names(devices).flatMap((unit) =>
    names(join(devices, unit, 'events'))
      // `x.scale`, `x.unit` and `x.snapshot` describe the event x.
      .filter((event) => !event.includes('.'))
      .flatMap((event) => readAlias(unit, event, devices) ?? []),
  );
}

/** One alias by name (`cpu/cache-misses/`); undefined where this machine has none of that name. */
export function findCounterAlias(name: string, devices: string = DEVICES): CounterAlias | undefined {
  const [, unit, event] = /^([^/]+)\/([^/]+)\/$/.exec(name) ?? [];
  if (unit === undefined || event === undefined || unit.startsWith('.') || event.startsWith('.'))
    return undefined;
  return readAlias(unit, event, devices);
}

function readAlias(unit: string, event: string, devices: string): CounterAlias | undefined {
  const folder = join(devices, unit);
  const type = Number(read(join(folder, 'type')) ?? NaN);
  const terms = read(join(folder, 'events', event));
  if (!Number.isInteger(type) || terms === undefined) return undefined;
  const configs = { config: 0n, config1: 0n };
  for (const term of terms.split(',')) {
    const [key = '', text = '1'] = term.split('=');
    // `event=?` wants a value from the user, and a literal may be malformed: no event to be had by name.
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
    const value = BigInt(text);
    const format = key === 'config' ? 'config:0-63' : read(join(folder, 'format', key));
    const [, target, bits] = /^(config1?):([\d,-]+)$/.exec(format ?? '') ?? [];
    if ((target !== 'config' && target !== 'config1') || bits === undefined) return undefined;
    configs[target] |= spread(value, bits);
  }
  const [config, config1] = [Number(configs.config), Number(configs.config1)];
  if (!Number.isSafeInteger(config) || !Number.isSafeInteger(config1)) return undefined;
  // A `cpumask` is there for units that belong to a package; `cpus` lists the cores of a hybrid processor.
  const perThread = read(join(folder, 'cpumask')) === undefined;
  return { name: `${unit}/${event}/`, type, config, config1, perThread };
}

/** Lays the bits of a value out over the ranges of a format: `0-7,21`. */
function spread(value: bigint, ranges: string): bigint {
  let rest = value;
  let result = 0n;
  for (const range of ranges.split(',')) {
    const [low = 0, high = low] = range.split('-').map(Number);
    const width = BigInt(high - low + 1);
    result |= (rest & ((1n << width) - 1n)) << BigInt(low);
    rest >>= width;
  }
  return result;
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // Not on this system, or hidden by the container.
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** What a caller asked to be counted, by catalogue name, by the kernel's alias or by raw numbers. */
import { describe, fail } from '../errors.js';
import type { CounterRefusal } from '../native/counter-refusal.js';
import { COUNTER_FLAGS } from '../native/contract.js';
import { ALL_COUNTER_EVENTS, COUNTER_EVENTS, definitionOf, type CounterEvent } from './events.js';
import { findCounterAlias } from './sysfs-events.js';

/** An event by the numbers of `perf_event_open(2)`, e.g. from the processor's manual. */
export interface RawCounter {
  /** Its key in `values`. */
  readonly name: string;
  /** `PERF_TYPE_…`: 4 is a raw event of the core, larger ones are other units' `type` files. */
  readonly type: number;
  /** 0 to 2^53 - 1. */
  readonly config: number;
  readonly config1?: number;
}

/** By name, by the kernel's name for it (`cpu/cache-misses/`, see `listCounterAliases`), or by numbers. */
export type CounterRequest = CounterEvent | `${string}/${string}/` | RawCounter;

export interface RequestedEvent {
  readonly name: string;
  readonly type: number;
  readonly config: number;
  readonly config1: number;
  readonly hardware: boolean;
  readonly needsKernel: boolean;
  readonly alwaysCounts: boolean;
  /** Set where the event can be ruled out without asking the kernel. */
  readonly refusal?: CounterRefusal;
}

const NAMES = `names out of ${ALL_COUNTER_EVENTS.join(', ')}; "unit/event/" as in /sys/bus/event_source/devices; or { name, type, config }; each name once`;
const MAX_EVENTS = 64;
/** Software events, tracepoints and breakpoints need no performance monitoring unit. */
const SOFTWARE_TYPES: readonly number[] = [1, 2, 5];
/** A unit that no kernel has: for events whose unit does not exist here, so that places stay as asked. */
const NO_SUCH_TYPE = 2 ** 32 - 1;

/** @throws INVALID_ARGUMENT for what cannot be an event, for a name twice, and for more than 64. */
export function checkRequests(requests: unknown): readonly RequestedEvent[] {
  if (!Array.isArray(requests) || requests.length === 0 || requests.length > MAX_EVENTS) {
    throw fail('INVALID_ARGUMENT', {
      name: 'events',
      actual: describe(requests),
      expected: `1 to ${MAX_EVENTS} ${NAMES}`,
    });
  }
  const events = requests.map((request: unknown) => resolve(request) ?? reject(describe(request)));
  events.forEach(({ name }, i) => {
    if (events.findIndex((other) => other.name === name) !== i) reject(`"${name}" twice`);
  });
  return events;
}

function reject(what: string): never {
  throw fail('INVALID_ARGUMENT', {
    name: 'events',
    actual: `an array with ${what}`,
    expected: NAMES,
  });
}

function resolve(request: unknown): RequestedEvent | undefined {
  if (typeof request === 'string') return byName(request);
  if (typeof request !== 'object' || request === null) return undefined;
  const { name, type, config, config1 = 0 } = request as Partial<RawCounter>;
  const integer = (value: unknown, max: number): value is number =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
  if (typeof name !== 'string' || name === '' || Object.hasOwn(COUNTER_EVENTS, name)) return undefined;
  if (!integer(type, 2 ** 32 - 1)) return undefined;
  if (!integer(config, Number.MAX_SAFE_INTEGER) || !integer(config1, Number.MAX_SAFE_INTEGER))
    return undefined;
  return unnamed(name, type, config, config1);
}

function byName(name: string): RequestedEvent | undefined {
  if (Object.hasOwn(COUNTER_EVENTS, name)) {
    const { type, config, kind, needsKernel, alwaysCounts } = definitionOf(name as CounterEvent);
    return { name, type, config, config1: 0, hardware: kind === 'hardware', needsKernel, alwaysCounts };
  }
  if (!/^[^/]+\/[^/]+\/$/.test(name)) return undefined;
  const alias = findCounterAlias(name);
  if (alias === undefined) {
    return {
      ...unnamed(name, NO_SUCH_TYPE, 0, 0),
      refusal: {
        available: false,
        reason: 'EVENT_NOT_PROVIDED',
        message: `This machine's kernel knows no event ${name}.`,
        remedy:
          'See listCounterAliases() for those it knows; a machine without a PMU has none of its processor.',
      },
    };
  }
  const event = unnamed(name, alias.type, alias.config, alias.config1);
  if (alias.perThread) return event;
  return {
    ...event,
    refusal: {
      available: false,
      reason: 'EVENT_NOT_PROVIDED',
      message: `${name} is counted for a whole processor package, not for a thread.`,
      remedy: `Count it for the whole machine, as root: perf stat -a -e ${name}`,
    },
  };
}

function unnamed(name: string, type: number, config: number, config1: number): RequestedEvent {
  const hardware = !SOFTWARE_TYPES.includes(type);
  return { name, type, config, config1, hardware, needsKernel: false, alwaysCounts: false };
}

/** The requests as `countersOpen` takes them. */
export function toNativeEvents(events: readonly RequestedEvent[], includeKernel: boolean): Float64Array {
  return Float64Array.from(
    events.flatMap(({ type, config, config1, alwaysCounts }) => [
      type,
      config,
      config1,
      (alwaysCounts ? COUNTER_FLAGS.mustCount : 0) + (includeKernel ? COUNTER_FLAGS.includeKernel : 0),
    ]),
  );
}

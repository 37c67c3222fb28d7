/** Groups without counters: each event is reported as refused, and reads as NaN. */
import { constants } from 'node:os';
import { types } from 'node:util';
import { checkBoolean, checkFloat64Array, checkInteger, checkNumber, checkThreadId } from '../arguments.js';
import type { CounterGrant, NativeContract } from '../contract.js';

const MAX_EVENTS = 64;

type Counters = Pick<
  NativeContract,
  'countersOpen' | 'countersRead' | 'countersBind' | 'countersReadBound' | 'countersClose'
>;

export function createCounters(): Counters {
  const open = new Map<number, { readonly count: number; bound?: Float64Array }>();
  let nextId = 1;
  const find = (id: number) => {
    const group = open.get(checkNumber(id, 'id'));
    if (group === undefined) throw new RangeError('id is not that of open counters');
    return group;
  };
  return {
    countersOpen(events, inherit, tid): CounterGrant {
      const count = checkEvents(events);
      checkBoolean(inherit, 'inherit');
      if (tid !== undefined) checkThreadId(tid);
      const id = nextId++;
      open.set(id, { count });
      const refused = { errno: constants.errno.ENOSYS, code: 'ENOSYS', excludesKernel: false, group: -1 };
      return { id, events: Array.from({ length: count }, () => refused) };
    },

    countersRead(id, out, throughKernel) {
      const { count } = find(id);
      if (throughKernel !== undefined) checkBoolean(throughKernel, 'throughKernel');
      checkFloat64Array(out, 'out', count * 3);
      out.fill(NaN, 0, count * 3);
      return 0;
    },

    countersBind(id, out) {
      const group = find(id);
      checkFloat64Array(out, 'out', group.count * 3 + 1);
      if (types.isArrayBuffer(out.buffer)) {
        throw new TypeError('out lies in an ArrayBuffer; pass a view of a SharedArrayBuffer');
      }
      group.bound = out;
    },

    countersReadBound(id) {
      const { count, bound } = find(id);
      if (bound === undefined) throw new RangeError('id is not that of open counters with a bound array');
      bound.fill(NaN, 0, count * 3);
      bound[count * 3] = performance.now() * 1e6;
    },

    countersClose: (id) => open.delete(checkNumber(id, 'id')),
  };
}

/** Numbers per event: type, config, config1, flags. */
const EVENT_NUMBERS = 4;
const EVENT_FIELDS = [
  ['type', 2 ** 32 - 1],
  ['config', Number.MAX_SAFE_INTEGER],
  ['config1', Number.MAX_SAFE_INTEGER],
  ['flags', 3],
] as const;

function checkEvents(events: unknown): number {
  const rows = checkFloat64Array(events, 'events', 0);
  if (rows.length === 0 || rows.length % EVENT_NUMBERS !== 0 || rows.length > EVENT_NUMBERS * MAX_EVENTS) {
    throw new RangeError(
      `events has length ${rows.length}; pass 1 to ${MAX_EVENTS} times type, configuration, second configuration and flags`,
    );
  }
  rows.forEach((value, i) => {
    const [name, max] = EVENT_FIELDS[i % EVENT_NUMBERS]!;
    checkInteger(value, name, 0, max);
  });
  return rows.length / EVENT_NUMBERS;
}

import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  CGROUP_COLUMNS,
  HOST_CPU_COLUMNS,
  PRESSURE_COLUMNS,
  PROCESS_COLUMNS,
  SMAPS_COLUMNS,
  THREAD_COLUMNS,
  type NativeContract,
} from '../../dist/native/contract.js';
import { IMPLEMENTATIONS, linux } from './implementations.js';

const READERS = [
  ['readProcess', PROCESS_COLUMNS],
  ['readHostCpu', HOST_CPU_COLUMNS],
  ['readMemoryMap', SMAPS_COLUMNS],
  ['readCgroup', CGROUP_COLUMNS],
  ['readPressure', PRESSURE_COLUMNS],
] as const satisfies [keyof NativeContract, readonly string[]][];

type Reader = (typeof READERS)[number][0];

function read(native: NativeContract, reader: Reader): Record<string, number> {
  const columns: readonly string[] = READERS.find(([name]) => name === reader)![1];
  const out = new Float64Array(columns.length);
  native[reader](out);
  return Object.fromEntries(columns.map((column, i) => [column, out[i]!]));
}

describe.each(IMPLEMENTATIONS)('kernel figures by the %s', (_name, native) => {
  it.each(READERS)('%s fills its columns with figures or NaN, and nothing beyond', (reader, columns) => {
    const out = new Float64Array(columns.length + 1).fill(-7);
    native[reader](out);
    expect(out[columns.length]).toBe(-7);
    for (const figure of out.subarray(0, columns.length)) {
      expect(Number.isNaN(figure) || figure >= 0).toBe(true);
    }
  });

  it.each(READERS)('%s fills a view over shared memory', (reader, columns) => {
    const out = new Float64Array(new SharedArrayBuffer(columns.length * 8)).fill(-7);
    native[reader](out);
    expect(out.includes(-7)).toBe(false);
  });

  it.each(READERS)('%s refuses arrays that are too short, detached or of another type', (reader, columns) => {
    const detached = new Float64Array(columns.length);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(() => native[reader](new Float64Array(columns.length - 1))).toThrow(RangeError);
    expect(() => native[reader](detached)).toThrow(RangeError);
    expect(() => native[reader](new Float32Array(64) as any)).toThrow(TypeError);
    expect(() => native[reader](new Array(64).fill(0) as any)).toThrow(TypeError);
    expect(() => native[reader](undefined as any)).toThrow(TypeError);
  });

  it('count the process’ time, faults and memory', () => {
    const before = read(native, 'readProcess');
    const junk = Array.from({ length: 200 }, () => new Uint8Array(65_536).fill(1));
    const after = read(native, 'readProcess');
    expect(after['userNs']! + after['systemNs']!).toBeGreaterThan(before['userNs']! + before['systemNs']!);
    expect(after['residentBytes']).toBeGreaterThan(junk.length * 1000);
  });

  it.runIf(linux)('count threads and descriptors', () => {
    const before = read(native, 'readProcess');
    const files = Array.from({ length: 50 }, () => openSync('/dev/null', 'r'));
    const after = read(native, 'readProcess');
    files.forEach((file) => closeSync(file));
    const threads = native.readThreads(new Float64Array(0));
    // Other threads of the test runner may open a file or start a thread meanwhile.
    expect(Math.abs(after['openDescriptors']! - before['openDescriptors']! - files.length)).toBeLessThan(10);
    expect(Math.abs(threads - after['threads']!)).toBeLessThan(5);
  });

  it.runIf(linux)('list every thread, as many rows as fit', () => {
    const width = THREAD_COLUMNS.length;
    const out = new Float64Array(256 * width).fill(-1);
    const count = native.readThreads(out);
    const ids = Array.from({ length: count }, (_, row) => out[row * width]);
    expect(ids).toContain(process.pid);
    expect(new Set(ids).size).toBe(count);
    expect(out[count * width]).toBe(-1);
    const short = new Float64Array(2 * width - 1).fill(-1);
    expect(native.readThreads(short)).toBeGreaterThanOrEqual(1);
    expect([...short.subarray(width)]).toEqual(new Array(width - 1).fill(-1));
    const main = ids.indexOf(process.pid) * width;
    expect(out[main + 1]).toBeGreaterThan(0);
    expect(out[main + 4]).toBeGreaterThanOrEqual(0);
    expect(native.threadName(process.pid)).not.toBe('');
  });

  it.runIf(linux)('give the memory map in bytes that add up', () => {
    const map = read(native, 'readMemoryMap');
    const parts =
      map['sharedCleanBytes']! +
      map['sharedDirtyBytes']! +
      map['privateCleanBytes']! +
      map['privateDirtyBytes']!;
    expect(map['rssBytes']).toBeGreaterThan(1e6);
    expect(parts).toBe(map['rssBytes']);
    expect(map['pssBytes']).toBeLessThanOrEqual(map['rssBytes']!);
  });

  it('give pressure as shares', () => {
    for (const share of Object.values(read(native, 'readPressure'))) {
      expect(Number.isNaN(share) || (share >= 0 && share <= 1)).toBe(true);
    }
  });
});

describe.runIf(linux)('both implementations', () => {
  const [addon, fallback] = IMPLEMENTATIONS.map(([, native]) => native) as [NativeContract, NativeContract];

  it('agree about which figures this host has', () => {
    for (const [reader] of READERS) {
      const known = (native: NativeContract) =>
        Object.entries(read(native, reader)).map(([column, figure]) => [column, Number.isNaN(figure)]);
      expect(known(fallback), reader).toEqual(known(addon));
    }
  });

  it('agree about limits and about what only grows', () => {
    const [first, second, third] = [addon, fallback, addon].map((native) => ({
      ...read(native, 'readHostCpu'),
      ...read(native, 'readCgroup'),
    })) as [Record<string, number>, Record<string, number>, Record<string, number>];
    expect([second['quotaCpus'], second['memoryLimitBytes']]).toEqual([
      first['quotaCpus'],
      first['memoryLimitBytes'],
    ]);
    for (const column of ['userNs', 'cpuUsageNs', 'periods', 'throttledNs']) {
      if (Number.isNaN(first[column])) continue;
      expect(second[column], column).toBeGreaterThanOrEqual(first[column]!);
      expect(third[column], column).toBeGreaterThanOrEqual(second[column]!);
    }
  });
});

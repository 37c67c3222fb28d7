/**
 * Each format is read back and held against the call tree: collapsed stacks and `.cpuprofile` by the rules of their
 * readers, pprof by `pprof-format`'s decoder, and its wire format by a reader of its own, since encoder and decoder
 * of one package could share a mistake.
 */
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { describe, expect, it } from 'vitest';
import type { ProfilingResult } from '../../../dist/model/profiling-result.js';
import type { StackNode, ThreadProfile } from '../../../dist/model/signals.js';
import { renderCollapsed } from '../../../dist/report/collapsed-stacks.js';
import { toCpuProfile } from '../../../dist/report/cpuprofile.js';
import { renderPprof } from '../../../dist/report/pprof.js';
import { result as sample } from './sample.js';

const leaf = (name: string, value: number): StackNode => ({ name, value, children: [] });
const worker: ThreadProfile = {
  workerId: '3',
  title: 'resize; images',
  url: 'file:///srv/resize.js',
  sampledMs: 400,
  busyShare: 0.5,
  functions: [],
  operations: [],
  callTree: {
    name: 'all',
    value: 200,
    children: [{ name: 'scale;\nall', file: '/srv/a b.js', line: 7, value: 200, children: [leaf('', 50)] }],
  },
};
const result: ProfilingResult = { ...sample, threadProfiles: [worker] };
const memory: ProfilingResult = {
  ...sample,
  type: 'memory',
  callTree: { name: 'all', value: 4096, children: [leaf('fill', 4096)] },
};

/** Self time by name of the sample's main thread, counted here from the tree itself. */
function selfTimes(node: StackNode, found = new Map<string, number>(), isRoot = true): Map<string, number> {
  const self = node.children.reduce((rest, child) => rest - child.value, node.value);
  const name = isRoot ? '(root)' : node.name;
  if (self > 1e-6) found.set(name, (found.get(name) ?? 0) + self);
  for (const child of node.children) selfTimes(child, found, false);
  return found;
}
/** Length-delimited fields of a protocol buffer by number: enough of the wire format to see what stands where. */
function fieldsOf(bytes: Uint8Array): Map<number, Buffer[]> {
  const fields = new Map<number, Buffer[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at]!;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    if ((tag & 7) === 0) varint();
    else {
      expect(tag & 7).toBe(2);
      const length = Number(varint());
      expect(at + length).toBeLessThanOrEqual(bytes.length);
      fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), Buffer.from(bytes.subarray(at, at + length))]);
      at += length;
    }
  }
  return fields;
}

const expected = selfTimes(sample.callTree!);

describe('collapsed stacks', () => {
  const lines = renderCollapsed(result).trimEnd().split('\n');

  it('are lines of frames and a whole number, whose sum is the whole time', () => {
    const parsed = lines.map((line) => /^([^;\n]+(?:;[^;\n]+)*) (\d+)$/.exec(line));
    expect(parsed).not.toContain(null);
    expect(parsed.reduce((sum, match) => sum + Number(match![2]), 0)).toBe((9200 + 200) * 1000);
  });

  it('lead from the outside to the function, with its self time', () => {
    const line = lines.find((each) => /;findCustomer \([^;]*\) \d+$/.test(each))!;
    expect(line.split(';')[0]).toBe('processTicksAndRejections (node:internal/process/task_queues:67)');
    expect(line).toMatch(
      /groupByCustomer [^;]*;findCustomer \(\/srv\/orders-service\/lib\/customers\.js:19\) 2450000$/,
    );
  });

  it('begin with the thread in a worker, and keep separators out of names', () => {
    expect(lines).toContain('resize, images;scale, all (/srv/a b.js:7) 150000');
    expect(lines).toContain('resize, images;scale, all (/srv/a b.js:7);(anonymous) 50000');
  });

  it('hold bytes for a memory profile', () => {
    expect(renderCollapsed(memory)).toBe('fill 4096\n');
  });

  it('are empty without a call tree', () => {
    expect(renderCollapsed({ ...sample, callTree: null })).toBe('');
  });
});

describe('.cpuprofile', () => {
  const profile = JSON.parse(JSON.stringify(toCpuProfile(result)));

  it('gives every function its self time, as readers of the format count it', () => {
    const names = new Map<number, string>(
      profile.nodes.map((node: any) => [node.id, node.callFrame.functionName]),
    );
    const times = new Map<string, number>();
    // A sample lasts until the next one.
    for (let i = 0; i + 1 < profile.samples.length; i += 1) {
      const name = names.get(profile.samples[i])!;
      times.set(name, (times.get(name) ?? 0) + profile.timeDeltas[i + 1] / 1000);
    }
    expect([...times.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, ms] of expected) expect(times.get(name)).toBeCloseTo(ms, 2);
  });

  it('is consistent in itself', () => {
    expect(profile.timeDeltas).toHaveLength(profile.samples.length);
    expect(profile.timeDeltas.reduce((sum: number, delta: number) => sum + delta, 0)).toBe(profile.endTime);
    expect(profile.endTime - profile.startTime).toBe(9_200_000);
    expect(profile.timeDeltas.every((delta: number) => Number.isInteger(delta) && delta >= 0)).toBe(true);
    const children = profile.nodes.flatMap((node: any) => node.children);
    // Each node but the root is the child of exactly one other.
    expect(children.sort((a: number, b: number) => a - b)).toEqual(
      profile.nodes.slice(1).map((node: any) => node.id),
    );
  });

  it('counts lines from 0 and hits in proportion', () => {
    const node = profile.nodes.find((each: any) => each.callFrame.functionName === 'findCustomer');
    expect(node.callFrame).toMatchObject({ url: '/srv/orders-service/lib/customers.js', lineNumber: 18 });
    expect(node.hitCount).toBe(2450);
  });

  it('stays small for a profile of an hour', () => {
    const tree: StackNode = { name: 'all', value: 3_600_000, children: [leaf('spin', 3_600_000)] };
    const { samples, endTime } = toCpuProfile({ ...sample, callTree: tree });
    expect(samples.length).toBeLessThan(20_100);
    expect(endTime).toBe(3_600_000_000);
  });
});

describe('pprof', () => {
  const decode = (of: ProfilingResult) => {
    const profile = Profile.decode(gunzipSync(renderPprof(of)));
    const text = (index: number | bigint) => profile.stringTable.strings[Number(index)]!;
    const functionOf = new Map(profile.function.map((each) => [Number(each.id), each]));
    const locationOf = new Map(profile.location.map((each) => [Number(each.id), each]));
    const samples = profile.sample.map(({ locationId, value, label }) => ({
      frames: locationId.map((id) =>
        functionOf.get(Number(locationOf.get(Number(id))!.line[0]!.functionId))!,
      ),
      value: Number(value[0]),
      labels: label.map(({ key, str }) => [text(key), text(str)]),
    }));
    return { profile, text, samples };
  };

  it('gives every function its self time in nanoseconds', () => {
    const { profile, text, samples } = decode(result);
    expect(profile.sampleType.map(({ type, unit }) => [text(type), text(unit)])).toEqual([
      ['cpu', 'nanoseconds'],
    ]);
    const times = new Map<string, number>();
    for (const { frames, value, labels } of samples) {
      if (labels.length > 0) continue;
      const name = text(frames[0]!.name);
      times.set(name, (times.get(name) ?? 0) + value);
    }
    const rest = expected.get('(root)')!;
    expect(times.get('(other)')).toBe(rest * 1e6);
    for (const [name, ms] of expected) {
      if (name !== '(root)') expect(times.get(name), name).toBeCloseTo(ms * 1e6, 0);
    }
    expect(times.size).toBe(expected.size);
  });

  it('has places, the outermost frame last, and the time of the profile', () => {
    const { profile, text, samples } = decode(result);
    const { frames } = samples.find(({ frames: [inner] }) => text(inner!.name) === 'findCustomer')!;
    expect(text(frames[0]!.filename)).toBe('/srv/orders-service/lib/customers.js');
    expect(Number(frames[0]!.startLine)).toBe(19);
    expect(text(frames.at(-1)!.name)).toBe('processTicksAndRejections');
    expect(Number(profile.timeNanos) / 1e6).toBe(Date.parse(sample.createdAt));
    expect(Number(profile.durationNanos)).toBe(10_000 * 1e6);
  });

  it('keeps to the rules that readers check', () => {
    const { profile } = decode(result);
    expect(profile.stringTable.strings[0]).toBe('');
    for (const table of [profile.function, profile.location]) {
      expect(new Set(table.map(({ id }) => Number(id))).size).toBe(table.length);
      expect(table.every(({ id }) => Number(id) > 0)).toBe(true);
    }
    const known = new Set(profile.location.map(({ id }) => Number(id)));
    expect(profile.sample.every(({ locationId }) => locationId.every((id) => known.has(Number(id))))).toBe(
      true,
    );
    expect(profile.sample.every(({ value }) => value.length === profile.sampleType.length)).toBe(true);
  });

  it('stands on the wire as profile.proto numbers its fields', () => {
    const fields = fieldsOf(gunzipSync(renderPprof(result)));
    const strings = fields.get(6)!.map(String);
    expect(strings[0]).toBe('');
    expect(strings).toEqual(expect.arrayContaining(['cpu', 'nanoseconds', 'findCustomer', 'thread']));
    expect(fields.get(1)).toHaveLength(1);
    expect(fields.get(2)).toHaveLength(renderCollapsed(result).trimEnd().split('\n').length);
    expect(fields.get(4)!.length).toBe(fields.get(5)!.length);
  });

  it('labels the samples of workers', () => {
    const labelled = decode(result).samples.filter(({ labels }) => labels.length > 0);
    expect(labelled.map(({ value }) => value)).toEqual([150e6, 50e6]);
    expect(labelled[0]!.labels).toEqual([['thread', 'resize; images']]);
  });

  it('holds bytes for a memory profile', () => {
    const { profile, text, samples } = decode(memory);
    expect(profile.sampleType.map(({ type, unit }) => [text(type), text(unit)])).toEqual([
      ['alloc_space', 'bytes'],
    ]);
    expect(samples.map(({ value }) => value)).toEqual([4096]);
  });
});

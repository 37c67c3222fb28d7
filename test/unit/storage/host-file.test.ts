import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFromProbe, effectiveCacheBytes, useHostProbe } from '../../../dist/host/effective-cache.js';
import type { HostProbe } from '../../../dist/model/host-probe.js';
import { hostFingerprint } from '../../../dist/host/environment.js';
import { openStore } from '../../../dist/storage/store.js';
import { SystemOptimizer } from '../../../dist/system-optimizer.js';

const KIB = 1024;
const none = { available: false, reason: 'NO_ADDON', message: '', remedy: '' } as const;

function probeOf(hostId: string, firstBytes: number): HostProbe {
  return {
    schemaVersion: 1,
    label: 'estimated',
    measuredAt: '2026-01-31T12:00:00.000Z',
    durationMs: 1000,
    method: 'a test',
    host: { ...hostFingerprint(), id: hostId },
    topology: {
      logicalCpus: 2,
      smtSiblings: [],
      allowedCpus: [0, 1],
      caches: [],
      numaNodes: [],
      cgroup: {},
      hugePages: {},
    },
    latencyCurve: [{ sizeBytes: 4096, latencyNs: 1.5 }],
    pages: 'huge',
    curveComplete: true,
    effectiveCaches: [
      { sizeBytes: firstBytes, latencyNs: 1.5 },
      { sizeBytes: 2048 * KIB, latencyNs: 5 },
      { sizeBytes: 6144 * KIB, latencyNs: 25 },
    ],
    memoryLatency: none,
    pageWalk: none,
    falseSharing: none,
    readBandwidth: none,
    timerResolution: none,
    systemCall: none,
    nativeCall: none,
  };
}

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'sysopt-host-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a stored host probe', () => {
  it('is read back as it was saved, each host its own', async () => {
    const store = openStore(root);
    const [one, other] = [probeOf('one', 48 * KIB), probeOf('other', 32 * KIB)];
    await store.saveHostProbe(one);
    await store.saveHostProbe(other);
    expect(store.hostProbe('one')).toEqual(one);
    expect(store.hostProbe('other')).toEqual(other);
    expect(store.hostProbe('third')).toBeNull();
    expect(readdirSync(join(root, 'hosts')).sort()).toEqual(['one.json', 'other.json']);
  });

  it.each([
    ['half of a document', '{"schemaVersion":1,'],
    ['another version', JSON.stringify({ ...probeOf('one', 48 * KIB), schemaVersion: 2 })],
    ['another host’s', JSON.stringify(probeOf('other', 48 * KIB))],
    ['no curve', JSON.stringify({ ...probeOf('one', 48 * KIB), latencyCurve: undefined })],
    ['a cache of no size', JSON.stringify({ ...probeOf('one', 48 * KIB), effectiveCaches: [{}] })],
    ['nothing', 'null'],
  ])('counts as none where it holds %s', async (_, text) => {
    const store = openStore(root);
    await store.saveHostProbe(probeOf('one', 48 * KIB));
    writeFileSync(join(root, 'hosts/one.json'), text);
    expect(store.hostProbe('one')).toBeNull();
  });

  it('gives the sizes that everything else takes, once an optimizer is opened on its store', async () => {
    const store = openStore(root);
    await store.saveHostProbe(probeOf(hostFingerprint().id, 40 * KIB));
    await using optimizer = new SystemOptimizer({ storagePath: root });
    expect(effectiveCacheBytes()).toEqual({
      l1: 40 * KIB,
      l2: 2048 * KIB,
      last: 6144 * KIB,
      source: 'probed',
    });
    expect((await optimizer.hostProbe()).measuredAt).toBe('2026-01-31T12:00:00.000Z');
  });

  it('is measured and stored where this host has none, and anew where that is asked for', async () => {
    await using optimizer = new SystemOptimizer({ storagePath: root });
    const measured = await optimizer.hostProbe({ budgetMs: 100 });
    expect(measured.host.id).toBe(hostFingerprint().id);
    expect(await optimizer.hostProbe()).toEqual(JSON.parse(JSON.stringify(measured)));
    const fresh = await optimizer.hostProbe({ budgetMs: 100, fresh: true });
    expect(Date.parse(fresh.measuredAt)).toBeGreaterThan(Date.parse(measured.measuredAt));
    expect(optimizer.store.hostProbe(hostFingerprint().id)?.measuredAt).toBe(fresh.measuredAt);
  });

  it('is no source of sizes without a plausible first level', () => {
    const { effectiveCaches } = probeOf('one', 48 * KIB);
    expect(cacheFromProbe({ effectiveCaches })?.source).toBe('probed');
    expect(cacheFromProbe({ effectiveCaches: [] })).toBeNull();
    expect(cacheFromProbe({ effectiveCaches: [{ sizeBytes: 4 * KIB, latencyNs: 1 }] })).toBeNull();
    expect(cacheFromProbe({ effectiveCaches: [{ sizeBytes: 48 * KIB, latencyNs: 1 }] })).toMatchObject({
      l1: 48 * KIB,
      l2: 48 * KIB,
      last: 48 * KIB,
    });
    useHostProbe(() => null);
    expect(effectiveCacheBytes().l1).toBeGreaterThan(0);
  });
});

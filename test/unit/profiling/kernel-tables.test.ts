/** Samplers of the kernel's tables over folders by script: each figure exactly. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Gathered, type Sampler } from '../../../dist/profiling/sampler.js';
import { DescriptorSampler } from '../../../dist/profiling/samplers/descriptors.js';
import { HostSampler } from '../../../dist/profiling/samplers/host.js';
import { KernelIoSampler } from '../../../dist/profiling/samplers/kernel-io.js';
import { MemoryMapSampler } from '../../../dist/profiling/samplers/memory-map.js';
import { PeerSampler } from '../../../dist/profiling/samplers/peers.js';
import { TickReading } from '../../../dist/profiling/samplers/tick-reading.js';
import type { NativeContract } from '../../../dist/native/contract.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sysopt-proc-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Values of the metrics that are there; reasons of the others. */
function stopped(sampler: Sampler, elapsedMs: number): Record<string, unknown> {
  const gathered = new Gathered(elapsedMs);
  sampler.stop(gathered);
  return Object.fromEntries(
    Object.entries(gathered.metrics).map(([name, metric]) => [
      name,
      metric.available ? metric.value : metric.reason,
    ]),
  );
}

const TABLE =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (local: string, remote: string, state: string, inode = 1) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0\n`;

describe('disk and TCP counts', () => {
  const counts = ({ read = 0, sent = 0, again = 0, overflows = 0, waitedUs = 0 }) => {
    put('io', `rchar: 1\nsyscr: ${read * 2}\nsyscw: 7\nread_bytes: ${read * 4096}\nwrite_bytes: 0\n`);
    put(
      'net/snmp',
      `Ip: Forwarding\nIp: 1\nTcp: RtoMin AttemptFails OutSegs RetransSegs OutRsts\nTcp: 200 3 ${sent} ${again} 5\nUdp: OutSegs\nUdp: 99\n`,
    );
    put('net/netstat', `TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 1 ${overflows}\n`);
    put('pressure/io', `some avg10=1.00 avg60=0.00 avg300=0.00 total=${waitedUs}\nfull avg10=0.00 total=9\n`);
  };

  it('are rates over the window, and states at its end', () => {
    counts({ read: 100, sent: 1000, again: 10, overflows: 2, waitedUs: 1e6 });
    const sampler = new KernelIoSampler(root, root);
    sampler.start();
    counts({ read: 300, sent: 6000, again: 260, overflows: 12, waitedUs: 1.5e6 });
    put(
      'net/tcp',
      TABLE + row('0100007F:1F90', '0100007F:C350', '01') + row('0100007F:1F90', '0100007F:C351', '06'),
    );
    put(
      'net/tcp6',
      TABLE + row('0'.repeat(32) + ':1F90', '0'.repeat(32) + ':0000', '0A') + row('a:1', 'b:2', '08'),
    );
    expect(stopped(sampler, 5000)).toEqual({
      'io.disk.read': (200 * 4096) / 5,
      'io.disk.write': 0,
      'io.calls.read': 80,
      'io.calls.write': 0,
      'network.tcp.segmentsSent': 1000,
      'network.tcp.retransmits': 50,
      'network.tcp.failedConnects': 0,
      'network.tcp.resets': 0,
      'network.tcp.listenOverflows': 2,
      'network.tcp.established': 1,
      'network.tcp.timeWait': 1,
      'network.tcp.closeWait': 1,
      'io.pressure': 0.1,
    });
  });

  it('are missing with a reason, each by itself, where a table is not there', () => {
    counts({});
    rmSync(join(root, 'net/snmp'));
    rmSync(join(root, 'pressure'), { recursive: true });
    const sampler = new KernelIoSampler(root, root);
    sampler.start();
    const figures = stopped(sampler, 1000);
    expect(figures).toMatchObject({
      'io.disk.read': 0,
      'network.tcp.retransmits': 'NOT_GIVEN',
      'network.tcp.listenOverflows': 0,
      'network.tcp.established': 'NOT_GIVEN',
      'io.pressure': 'NOT_GIVEN',
    });
  });
});

describe('CPU time of connected processes', () => {
  /** A process that used `ticks` of CPU time, half of it in the kernel, with these sockets. */
  const task = (pid: string, ticks: number, connections: [string, string, number][] = []) => {
    put(`${pid}/stat`, `${pid} (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 ${ticks / 2} ${ticks / 2} 0 0 20 0 1 0\n`);
    put(`${pid}/net/tcp`, TABLE + connections.map(([a, b, inode]) => row(a, b, '01', inode)).join(''));
    mkdirSync(join(root, pid, 'fd'), { recursive: true });
    connections.forEach(([, , inode], i) => {
      rmSync(join(root, pid, 'fd', String(i)), { force: true });
      symlinkSync(`socket:[${inode}]`, join(root, pid, 'fd', String(i)));
    });
  };
  const [server, client] = ['0100007F:1F90', '0100007F:C350'];

  it('is of those alone, in CPUs', () => {
    const all = (ticks: number) => {
      task('self', 0, [[server, client, 11]]);
      task('500', ticks, [[client, server, 22]]);
      task('600', ticks, [['0100007F:AAAA', '0100007F:BBBB', 33]]);
      task('700', ticks / 100, [[client, server, 44]]);
    };
    all(0);
    const sampler = new PeerSampler(root);
    sampler.start();
    all(120);
    expect(stopped(sampler, 2000)).toEqual({ 'host.cpu.peers': 0.6 });
  });

  it('is missing where processes cannot be listed', () => {
    const sampler = new PeerSampler(join(root, 'nowhere'));
    sampler.start();
    expect(stopped(sampler, 1000)).toEqual({ 'host.cpu.peers': 'NO_PROC' });
  });
});

/** Native figures by script. */
function native(figures: Record<string, number[]>): NativeContract {
  const read = (name: string) => (out: Float64Array) => out.set(figures[name] ?? []);
  const yes = { available: true };
  return {
    readProcess: read('process'),
    readHostCpu: read('host'),
    readCgroup: read('cgroup'),
    readPressure: read('pressure'),
    readMemoryMap: read('map'),
    readTick: read('tick'),
    closeTick: () => {},
    capabilities: () => ({ cgroup: yes, pressure: yes }),
  } as unknown as NativeContract;
}

describe('descriptors', () => {
  it('are counted at both ends, against the limit of the process', () => {
    put(
      'limits',
      'Limit  Soft  Hard  Units\nMax open files            1024                 4096                 files\n',
    );
    const figures = { process: [0, 0, 0, 0, 0, 0, 0, 0, 20] };
    const sampler = new DescriptorSampler(native(figures), root);
    sampler.start();
    figures.process[8] = 45;
    const { 'process.openDescriptors.growth': growth, ...rest } = stopped(sampler, 1000);
    expect(rest).toEqual({ 'process.openDescriptors': 45, 'process.openDescriptors.limit': 1024 });
    expect(growth).toBeGreaterThan(0);
  });

  it('have no limit where the kernel names none', () => {
    put('limits', 'Max open files            unlimited            unlimited            files\n');
    const sampler = new DescriptorSampler(native({ process: [0, 0, 0, 0, 0, 0, 0, 0, 20] }), root);
    sampler.start();
    expect(stopped(sampler, 1000)).toMatchObject({ 'process.openDescriptors.limit': 'NOT_GIVEN' });
  });
});

describe('the host and the container', () => {
  it('have shares of all CPU time, and periods of the quota', () => {
    const figures = {
      // user, nice, system, idle, iowait, irq, softirq, steal
      host: [0, 0, 0, 0, 0, 0, 0, 0],
      // cpuUsageNs, periods, throttledPeriods, throttledNs, quotaCpus, memoryBytes, memoryLimitBytes
      cgroup: [0, 10, 2, 1e9, 0.5, 100, 1000],
      pressure: [0.1, 0.2, 0.3],
    };
    const api = native(figures);
    const sampler = new HostSampler(api, new TickReading(api));
    sampler.start();
    figures.host = [20e9, 1e9, 10e9, 50e9, 10e9, 2e9, 2e9, 5e9];
    figures.cgroup = [0, 50, 12, 3e9, 0.5, 400, Infinity];
    const host = stopped(sampler, 10_000);
    expect(host).toMatchObject({
      'host.cpu.busy': 0.35,
      'host.cpu.steal': 0.05,
      'host.cpu.iowait': 0.1,
      'cgroup.cpu.throttledPeriods': 0.25,
      'cgroup.cpu.throttled': 0.2,
      'cgroup.memory.used': 400,
      'cgroup.cpu.quota': 0.5,
      'cgroup.memory.limit': 'NO_LIMIT',
      'host.pressure.cpu': 0.1,
      'host.pressure.memory': 0.2,
      'host.pressure.io': 0.3,
    });
    // 35 s of busy CPUs in 10 s, less what this process itself used meanwhile.
    expect(host['host.cpu.others']).toBeGreaterThan(3.3);
    expect(host['host.cpu.others']).toBeLessThanOrEqual(3.5);
  });
});

describe('resident memory', () => {
  it('is split by what backs it', () => {
    const map = [900, 800, 100, 20, 30, 650, 700, 64, 5];
    const figures = stopped(new MemoryMapSampler(native({ map })), 1000);
    expect(figures).toMatchObject({
      'rss.proportional': 800,
      'rss.anonymous': 700,
      'rss.anonymousHuge': 64,
      'rss.private': 680,
      'rss.shared': 120,
      'rss.swap': 5,
    });
  });
});

import { readFileSync } from 'node:fs';
import { unavailable } from '../../model/metric.js';
import type { MetricName } from '../../model/metric-catalogue.js';
import type { Gathered, Sampler } from '../sampler.js';

type Figures = Map<string, number>;

interface Source {
  /** @param root `/proc/self`, or that of another process. */
  readonly read: (root: string) => Figures;
  /** Figure in the source and the metric that its growth a second is. */
  readonly rates: readonly (readonly [figure: string, metric: MetricName])[];
}

const SOURCES: readonly Source[] = [
  {
    read: (root) => keyedLines(`${root}/io`),
    rates: [
      ['read_bytes', 'io.disk.read'],
      ['write_bytes', 'io.disk.write'],
      ['syscr', 'io.calls.read'],
      ['syscw', 'io.calls.write'],
    ],
  },
  {
    read: (root) => protocol(`${root}/net/snmp`, 'Tcp'),
    rates: [
      ['OutSegs', 'network.tcp.segmentsSent'],
      ['RetransSegs', 'network.tcp.retransmits'],
      ['AttemptFails', 'network.tcp.failedConnects'],
      ['OutRsts', 'network.tcp.resets'],
    ],
  },
  {
    read: (root) => protocol(`${root}/net/netstat`, 'TcpExt'),
    rates: [['ListenOverflows', 'network.tcp.listenOverflows']],
  },
];

/** TCP states as the kernel's tables number them. */
const STATES: readonly (readonly [code: string, metric: MetricName])[] = [
  ['01', 'network.tcp.established'],
  ['06', 'network.tcp.timeWait'],
  ['08', 'network.tcp.closeWait'],
];
const MAX_TABLE_CHARACTERS = 4_000_000;

/** Disk traffic of this process, and TCP of its network namespace, from the kernel's own counts at both ends. */
export class KernelIoSampler implements Sampler {
  readonly name = 'kernel counts';
  #start: readonly Figures[] = [];
  #pressureUs = NaN;
  readonly #root: string;
  readonly #hostRoot: string;

  /**
   * @param root the folder of the process' figures.
   * @param hostRoot that of the host's.
   */
  constructor(root = '/proc/self', hostRoot = '/proc') {
    this.#root = root;
    this.#hostRoot = hostRoot;
  }

  start(): void {
    this.#start = SOURCES.map(({ read }) => read(this.#root));
    this.#pressureUs = ioPressureUs(this.#hostRoot);
  }

  stop(gathered: Gathered): void {
    const seconds = gathered.elapsedMs / 1000;
    SOURCES.forEach(({ read, rates }, index) => {
      const end = read(this.#root);
      for (const [figure, metric] of rates) {
        const [from, to] = [this.#start[index]?.get(figure), end.get(figure)];
        if (from === undefined || to === undefined) gathered.missing([metric], NOT_GIVEN);
        else gathered.set(metric, Math.max(0, to - from) / seconds);
      }
    });
    const states = tcpStates(this.#root);
    for (const [code, metric] of STATES) {
      if (states === null) gathered.missing([metric], NOT_GIVEN);
      else gathered.set(metric, states.get(code) ?? 0);
    }
    const pressure = (ioPressureUs(this.#hostRoot) - this.#pressureUs) / 1000 / gathered.elapsedMs;
    if (Number.isFinite(pressure)) gathered.set('io.pressure', Math.min(1, Math.max(0, pressure)));
    else gathered.missing(['io.pressure'], NOT_GIVEN);
  }
}

const NOT_GIVEN = unavailable(
  'NOT_GIVEN',
  'The kernel does not give this figure here.',
  'Run on Linux; in a container, /proc must not be hidden.',
);

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** `key: value` lines. */
function keyedLines(path: string): Figures {
  const figures: Figures = new Map();
  for (const [, key, value] of textOf(path).matchAll(/^(\w+):\s*(\d+)$/gm)) figures.set(key!, Number(value));
  return figures;
}

/** One protocol of snmp or netstat: a line of names and a line of values. */
function protocol(path: string, name: string): Figures {
  const lines = textOf(path)
    .split('\n')
    .filter((line) => line.startsWith(`${name}:`))
    .map((line) => line.split(/\s+/).slice(1));
  const [names, values] = lines;
  return new Map((names ?? []).map((key, index) => [key, Number(values?.[index])]));
}

/** Microseconds in which some task waited for input or output, since the host started. */
function ioPressureUs(root: string): number {
  return Number(/^some .*total=(\d+)/m.exec(textOf(`${root}/pressure/io`))?.[1] ?? NaN);
}

/** Connections of the network namespace by state; null where the table cannot be read or is huge. */
function tcpStates(root: string): Map<string, number> | null {
  const text = textOf(`${root}/net/tcp`) + textOf(`${root}/net/tcp6`);
  if (text === '' || text.length > MAX_TABLE_CHARACTERS) return null;
  const states = new Map<string, number>();
  for (const [, code] of text.matchAll(/^\s*\d+: \S+ \S+ (\w\w) /gm))
    states.set(code!, (states.get(code!) ?? 0) + 1);
  return states;
}

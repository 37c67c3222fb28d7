import { existsSync } from 'node:fs';
import { captureEnvironment, hostFingerprint } from '../host/environment.js';
import { readTopology } from '../host/topology.js';
import type { HostProbe } from '../model/host-probe.js';
import { openStore } from '../storage/store.js';
import { probeHost } from '../host/probe.js';
import { hostInventory, type HostInventory } from '../host/inventory.js';
import { loadNative } from '../native/load.js';
import { formatShare } from '../units.js';
import { formatCount } from '../report/format.js';
import type { NoiseReport, WorkloadNoise } from '../validation/noise.js';
import { hostChecks, type Check } from './host-checks.js';
import { counterChecks, measuringChecks, SEE_ABOVE } from './measuring-checks.js';
import { printHostProbe, printTopology } from './print-host.js';
import type { Session, VerbOutcome } from './session.js';
import { visible, wrap, type Terminal } from './terminal.js';

export interface DoctorVerbOptions {
  readonly storage: string;
  /** Measures memory and calls anew, though they are stored. */
  readonly probe: boolean;
  /** How long to compare code with itself; undefined: not at all. */
  readonly noiseMs?: number;
}

const AREAS: readonly (readonly [Check['area'], string])[] = [
  ['measuring', 'What can be measured here'],
  ['processors', 'Processors'],
  ['memory', 'Memory'],
  ['process', 'Process limits'],
];

/** `sysopt doctor`: what this machine can and cannot measure, why, and what would help. */
export async function doctorVerb(
  options: DoctorVerbOptions,
  { terminal, signal }: Session,
): Promise<VerbOutcome> {
  terminal.progress({ stage: 'look', message: 'Looking at this machine' });
  const native = loadNative();
  const checks = [...measuringChecks(native.capabilities()), ...counterChecks(), ...hostChecks()];
  const inventory = await hostInventory();
  const environment = captureEnvironment();

  printMachine(terminal, inventory, environment.node);
  for (const [area, title] of AREAS) {
    terminal.print();
    terminal.print(terminal.style('bold', title));
    for (const check of checks) {
      if (check.area === area) printCheck(terminal, check);
    }
  }
  // Of now, also where the measurements are of before: limits change with the container.
  const topology = readTopology();
  printTopology(terminal, topology);
  const { probe, storedIn } = await probeOrStored(options, { terminal, signal });
  printHostProbe(terminal, probe, storedIn);
  const found = { environment, inventory, checks, topology, probe, probeStoredIn: storedIn ?? null };
  if (options.noiseMs === undefined) return { result: found };

  const { measureNoise } = await import('../validation/noise.js');
  const noise = await measureNoise({
    seconds: options.noiseMs / 1000,
    signal,
    onProgress: (progress) => terminal.progress(progress),
  });
  printNoise(terminal, noise);
  return { result: { ...found, noise } };
}

const PROBE_BUDGET_MS = 1000;

/**
 * The probe of this host in the store, or a new one, which is stored where there is a store: to look at a machine must
 * not leave folders behind.
 *
 * @throws STORAGE_NOT_WRITABLE
 */
async function probeOrStored(
  options: DoctorVerbOptions,
  { terminal, signal }: Session,
): Promise<{ readonly probe: HostProbe; readonly storedIn: string | undefined }> {
  const store = openStore(options.storage);
  try {
    const hasStore = existsSync(store.path);
    const stored = options.probe || !hasStore ? null : store.hostProbe(hostFingerprint().id);
    if (stored) return { probe: stored, storedIn: store.path };
    terminal.progress({ stage: 'probe', message: 'Measuring memory and calls' });
    const probe = await probeHost({ budgetMs: PROBE_BUDGET_MS, signal });
    if (hasStore) await store.saveHostProbe(probe);
    return { probe, storedIn: hasStore ? store.path : undefined };
  } finally {
    await store.close();
  }
}

function printMachine(terminal: Terminal, inventory: HostInventory, node: string): void {
  const parts = [
    inventory.cpuModel,
    inventory.system,
    inventory.hypervisor === true ? 'virtual machine' : undefined,
    `Node ${node}`,
  ].filter((part) => part !== undefined && part !== '');
  terminal.print(visible(parts.join(' · ')));
}

const MARKS = { available: '✓', attention: '!', missing: '–' } as const;
const MARK_STYLES = { available: 'green', attention: 'yellow', missing: 'dim' } as const;

function printCheck(terminal: Terminal, check: Check): void {
  const mark = terminal.style(MARK_STYLES[check.state], MARKS[check.state]);
  const text = check.message === '' ? check.name : `${check.name}: ${check.message}`;
  terminal.print(`  ${mark} ${wrap(text, terminal.columns, '    ')}`);
  if (check.remedy !== undefined && check.remedy !== SEE_ABOVE) {
    terminal.print(`    ${terminal.style('dim', `→ ${wrap(check.remedy, terminal.columns, '      ')}`)}`);
  }
}

function printNoise(terminal: Terminal, noise: NoiseReport): void {
  terminal.print();
  terminal.print(terminal.style('bold', 'Noise: identical code compared with itself'));
  for (const { workload, deviation, replicates } of noise.workloads) {
    terminal.print(
      `  ${WORKLOADS[workload]}: the ratio varies by ${formatShare(deviation)} from process to process (${formatCount(replicates, 'process', 'processes')})`,
    );
  }
  terminal.print(
    `  false claims: ${formatShare(noise.falseClaimRate)} of ${noise.simulatedComparisons} simulated comparisons`,
  );
  for (const { seconds, effect } of noise.detectable) {
    terminal.print(
      `  in ${seconds} s, ${effect === null ? 'no difference is found reliably' : `a difference of ${formatShare(effect)} is found in nine of ten comparisons`}`,
    );
  }
}

const WORKLOADS: Readonly<Record<WorkloadNoise['workload'], string>> = {
  arithmetic: 'arithmetic',
  allocating: 'allocation',
  memoryBound: 'memory access',
};

import type { Gathered, Sampler } from '../sampler.js';
import type { TickReading } from './tick-reading.js';

/** CPU time, page faults and context switches of the whole process. */
export class ProcessSampler implements Sampler {
  readonly name = 'process';
  readonly #reading: TickReading;
  #start: NodeJS.ResourceUsage | undefined;
  #last: { cpuUs: number; atMs: number } | undefined;

  constructor(reading: TickReading) {
    this.#reading = reading;
  }

  start(): void {
    this.#start = process.resourceUsage();
    this.#last = { cpuUs: cpuUs(this.#start), atMs: performance.now() };
  }

  tick(values: Record<string, number>): void {
    const { userNs, systemNs } = this.#reading.read();
    const now = { cpuUs: (userNs + systemNs) / 1000, atMs: performance.now() };
    const elapsedUs = (now.atMs - this.#last!.atMs) * 1000;
    if (elapsedUs > 0) values['process.cpu.total'] = (now.cpuUs - this.#last!.cpuUs) / elapsedUs;
    this.#last = now;
  }

  stop(gathered: Gathered): void {
    const start = this.#start!;
    const end = process.resourceUsage();
    const elapsedUs = gathered.elapsedMs * 1000;
    const seconds = gathered.elapsedMs / 1000;
    gathered.set('process.cpu.user', (end.userCPUTime - start.userCPUTime) / elapsedUs);
    gathered.set('process.cpu.system', (end.systemCPUTime - start.systemCPUTime) / elapsedUs);
    gathered.set('process.cpu.total', (cpuUs(end) - cpuUs(start)) / elapsedUs);
    gathered.set('process.faults.minor', (end.minorPageFault - start.minorPageFault) / seconds);
    gathered.set('process.faults.major', (end.majorPageFault - start.majorPageFault) / seconds);
    gathered.set(
      'process.switches.voluntary',
      (end.voluntaryContextSwitches - start.voluntaryContextSwitches) / seconds,
    );
    gathered.set(
      'process.switches.involuntary',
      (end.involuntaryContextSwitches - start.involuntaryContextSwitches) / seconds,
    );
  }
}

function cpuUs(usage: NodeJS.ResourceUsage): number {
  return usage.userCPUTime + usage.systemCPUTime;
}

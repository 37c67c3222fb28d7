import { readFileSync } from 'node:fs';
import { unavailable } from '../../model/metric.js';
import { PROCESS_COLUMNS, type NativeContract } from '../../native/contract.js';
import type { Gathered, Sampler } from '../sampler.js';
import { theilSenSlope } from '../slope.js';

const TICKS_PER_COUNT = 10;
const MAX_POINTS = 3600;
const OPEN = PROCESS_COLUMNS.indexOf('openDescriptors');

/** Open descriptors against their limit, once a second: counting lists a folder of the kernel. */
export class DescriptorSampler implements Sampler {
  readonly name = 'descriptors';
  readonly #native: NativeContract;
  readonly #row = new Float64Array(PROCESS_COLUMNS.length);
  readonly #points: { atMs: number; value: number }[] = [];
  #ticks = 0;

  readonly #root: string;

  /** @param root the folder of the process' figures. */
  constructor(native: NativeContract, root = '/proc/self') {
    this.#native = native;
    this.#root = root;
  }

  start(): void {
    this.#count();
  }

  tick(values: Record<string, number>): void {
    if (++this.#ticks % TICKS_PER_COUNT !== 0) return;
    const open = this.#count();
    if (Number.isFinite(open)) values['process.openDescriptors'] = open;
  }

  stop(gathered: Gathered): void {
    const open = this.#count();
    const limit = descriptorLimit(this.#root);
    if (this.#points.length >= 2 && Number.isFinite(open)) {
      gathered.set('process.openDescriptors', open);
      gathered.set('process.openDescriptors.growth', theilSenSlope(this.#points) * 1000);
    } else gathered.missing(['process.openDescriptors', 'process.openDescriptors.growth'], NOT_GIVEN);
    if (limit === undefined) gathered.missing(['process.openDescriptors.limit'], NOT_GIVEN);
    else gathered.set('process.openDescriptors.limit', limit);
  }

  #count(): number {
    this.#row.fill(NaN);
    this.#native.readProcess(this.#row);
    const value = this.#row[OPEN]!;
    if (Number.isFinite(value) && this.#points.length < MAX_POINTS)
      this.#points.push({ atMs: performance.now(), value });
    return value;
  }
}

const NOT_GIVEN = unavailable(
  'NOT_GIVEN',
  'This system does not tell the open descriptors or their limit.',
  'Run on Linux to see them.',
);

function descriptorLimit(root: string): number | undefined {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync(`${root}/limits`, 'latin1'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

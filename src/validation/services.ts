/**
 * Replicates of two services under load.
 *
 * The sides take turns in short blocks, in random order within each pair: what slows the host for seconds slows
 * both. Time per request and latencies still vary by several percent from block to block on a shared host; the
 * CPU time that the process group spends per request does not see who else runs, and is by far the steadiest.
 *
 * Instances that stay alive cost least and answer soonest, but what differs between two starts of one program
 * stays unseen, as with functions in one process. Fresh instances for every replicate see it.
 */
import { fail } from '../errors.js';
import type { Experiment } from './experiment.js';
import { disagreement, DISAGREEMENT_REMEDY } from './sides.js';
import type { Measure, ResolvedOptions } from './options.js';
import type { Replicate, ReplicateCost } from './pair-measurement.js';
import { BLOCK_MS, ServiceInstance, type Block, type Answer } from './service-instance.js';
import { median } from './statistics.js';
import type { ServiceSubject } from './subject.js';

/** As for functions in one process; see in-process.ts. */
const SHARED_DEVIATION = 0.012;

const LIVE_WARNING =
  'Measured on one instance of each service: an error of about 1.2 % that differs between starts cannot be ' +
  "seen, and the interval is widened for it. load: { instances: 'fresh' } is stronger and slower.";

/** Pairs of blocks that fresh instances run before they are replaced. */
const PAIRS_PER_START = 4;

const COSTS: Record<Measure, { readonly name: string; of(block: Block): number | null }> = {
  cpu: { name: 'cpu time', of: (block) => block.cpuMs },
  time: { name: 'time', of: (block) => block.timeMs },
  p50: { name: 'latency p50', of: (block) => block.p50Ms },
  p90: { name: 'latency p90', of: (block) => block.p90Ms },
  p99: { name: 'latency p99', of: (block) => block.p99Ms },
};

type Pair<T> = readonly [T, T];

export async function serviceExperiment(
  subjects: Pair<ServiceSubject>,
  labels: Pair<string>,
  options: ResolvedOptions,
): Promise<Experiment> {
  const sameAddress = new URL(subjects[0].url).host === new URL(subjects[1].url).host;
  const instances = options.load.instances ?? (sameAddress ? 'fresh' : 'live');
  if (instances === 'live' && sameAddress) {
    throw fail('INVALID_ARGUMENT', {
      name: 'options.load.instances',
      actual: '"live" where both services answer at one address',
      expected: "'fresh', or services at different ports",
    });
  }
  const base = { form: 'service', labels, unit: 'ms' } as const;
  const start = (side: 0 | 1) => ServiceInstance.start(subjects[side], labels[side], options);
  if (instances === 'live') return await liveExperiment(base, start, options);
  return {
    ...base,
    replicateName: 'starts of each',
    warnings: [],
    replicate: (index) =>
      sameAddress ? measureInTurn(start, index, options) : measureFresh(start, index, options),
  };
}

type Base = Pick<Experiment, 'form' | 'labels' | 'unit'>;
type Start = (side: 0 | 1) => Promise<ServiceInstance>;

async function liveExperiment(base: Base, start: Start, options: ResolvedOptions): Promise<Experiment> {
  const pair = await startBoth(start, 0, options);
  return {
    ...base,
    replicateName: 'pairs of blocks',
    sharedDeviation: SHARED_DEVIATION,
    warnings: [LIVE_WARNING],
    replicate: async () => replicateOf([await measureBlocks(pair, options)], options),
    close: () => stopAll(pair),
  };
}

/** Both at once, warmed up and agreeing. `first` is started first. */
async function startBoth(
  start: Start,
  first: 0 | 1,
  options: ResolvedOptions,
): Promise<Pair<ServiceInstance>> {
  const second = (1 - first) as 0 | 1;
  const started: ServiceInstance[] = [];
  try {
    started[first] = await start(first);
    started[second] = await start(second);
    const [a, b] = started as [ServiceInstance, ServiceInstance];
    if (options.checkResults !== false) {
      compareAnswers([a.label, b.label], [await a.answers(), await b.answers()], options);
    }
    await a.warmUp();
    await b.warmUp();
    return [a, b];
  } catch (error) {
    await stopAll(started.filter((instance) => instance !== undefined));
    throw error;
  }
}

async function stopAll(instances: readonly ServiceInstance[]): Promise<void> {
  await Promise.all(instances.map((instance) => instance.stop()));
}

/** Fresh instances side by side. */
async function measureFresh(start: Start, index: number, options: ResolvedOptions): Promise<Replicate> {
  const pair = await startBoth(start, (index % 2) as 0 | 1, options);
  try {
    const pairs: Pair<Block>[] = [];
    for (let i = 0; i < PAIRS_PER_START; i += 1) pairs.push(await measureBlocks(pair, options));
    return replicateOf(pairs, options);
  } finally {
    await stopAll(pair);
  }
}

/** Fresh instances one after the other, where they need the same address. */
async function measureInTurn(start: Start, index: number, options: ResolvedOptions): Promise<Replicate> {
  const blocks: Block[] = [];
  const answers: Answer[][] = [];
  const labels: string[] = [];
  for (const side of index % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
    const instance = await start(side);
    try {
      labels[side] = instance.label;
      answers[side] = await instance.answers();
      await instance.warmUp();
      blocks[side] = await instance.drive(PAIRS_PER_START * (options.load.blockMs ?? BLOCK_MS));
    } finally {
      await instance.stop();
    }
  }
  compareAnswers([labels[0]!, labels[1]!], [answers[0]!, answers[1]!], options);
  return replicateOf([[blocks[0]!, blocks[1]!]], options);
}

/** One block of each, in random order. */
async function measureBlocks(pair: Pair<ServiceInstance>, options: ResolvedOptions): Promise<Pair<Block>> {
  const blockMs = options.load.blockMs ?? BLOCK_MS;
  if (Math.random() < 0.5) {
    const first = await pair[0].drive(blockMs);
    return [first, await pair[1].drive(blockMs)];
  }
  const first = await pair[1].drive(blockMs);
  return [await pair[0].drive(blockMs), first];
}

function replicateOf(pairs: readonly Pair<Block>[], options: ResolvedOptions): Replicate {
  const side = (index: 0 | 1) => pairs.map((pair) => pair[index]);
  const costOf = (measure: Measure) => {
    const rows = pairs.flatMap(([a, b]) => {
      const values = [COSTS[measure].of(a), COSTS[measure].of(b)];
      return values.every((value) => value !== null && value > 0) ? [values as [number, number]] : [];
    });
    if (rows.length === 0) return null;
    return {
      logRatio: median(rows.map(([a, b]) => Math.log(b / a))),
      baseline: median(rows.map(([a]) => a)),
      candidate: median(rows.map(([, b]) => b)),
    };
  };
  const main = costOf(options.measure);
  if (!main) {
    throw fail('NOT_SUPPORTED', {
      what: 'CPU time of a service',
      where: `on ${process.platform}, or in this container`,
      remedy: "Compare time or latencies: measure: 'time'.",
    });
  }
  const costs: ReplicateCost[] = [];
  for (const measure of Object.keys(COSTS) as Measure[]) {
    const cost = measure === options.measure ? null : costOf(measure);
    if (!cost) continue;
    const { baseline, candidate } = cost;
    costs.push({ name: COSTS[measure].name, unit: 'ms', baseline, candidate });
  }
  const errorShare = (blocks: readonly Block[]) =>
    Math.max(...blocks.map(({ errors, requests }) => errors / (errors + requests)));
  return {
    logRatio: main.logRatio,
    pairs: pairs.length,
    baselineCost: main.baseline,
    candidateCost: main.candidate,
    costs,
    flags: Math.max(errorShare(side(0)), errorShare(side(1))) > 0.01 ? ['failed-requests'] : [],
  };
}

/** `true` compares statuses alone: bodies hold times and ids. Other checks see the body, parsed where it is JSON. */
function compareAnswers(
  labels: Pair<string>,
  answers: Pair<readonly Answer[]>,
  { checkResults }: ResolvedOptions,
): void {
  if (checkResults === false) return;
  for (const [i, a] of answers[0].entries()) {
    const b = answers[1][i]!;
    let difference = a.status === b.status ? null : `status ${a.status} against ${b.status}`;
    if (checkResults !== true) difference ??= disagreement(checkResults, parsed(a.body), parsed(b.body));
    if (difference === null) continue;
    throw fail('SUBJECTS_DISAGREE', {
      baseline: labels[0],
      candidate: labels[1],
      difference: `${difference} for ${a.name}`,
      remedy: DISAGREEMENT_REMEDY,
    });
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}

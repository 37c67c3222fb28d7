/**
 * Configures the variants that take parameters, before they race against the others: configurations are proposed,
 * checked to agree with the reference, and raced against each other on a few sizes. The winner of each size goes on
 * to the race proper, which knows nothing of parameters.
 *
 * Successive halving (Jamieson & Talwalkar 2016) over random samples, then once more over the neighbours of what
 * won; on a few dozen cheap configurations a surrogate model would cost more than the measurements it saves.
 */
import { OptimizerError } from '../errors.js';
import type { ComputationSettings } from '../settings/computation.js';
import { checkAgreement, takesPart, type AgreementOptions, type Rejection } from './agreement.js';
import type { SizeClass } from './inputs.js';
import {
  configurationKey,
  configuredName,
  gridConfigurations,
  neighbours,
  parseConfiguredName,
  sampleConfigurations,
  type Configuration,
} from './parameters.js';
import type { Race } from './race.js';
import type { Random } from './random.js';
import { search } from './search.js';
import type { Tunable, Variant } from './variants.js';

const SAMPLES = 24;
const GRID_LIMIT = 128;
/** Neighbours that the second bracket tries per size. */
const MAX_NEIGHBOURS = 8;
/** Sizes on which configurations are raced: growth shows on few, and each costs all configurations. */
const MAX_CLASSES = 4;
/** Share of the time for the first bracket. */
const FIRST_SHARE = 0.65;

export interface TuneRequest {
  readonly tunables: readonly Tunable[];
  readonly reference: Variant;
  readonly classes: readonly SizeClass[];
  readonly settings: ComputationSettings;
  readonly budgetMs: number;
  readonly random: Random;
  readonly agreement: AgreementOptions;
  /** A race of variants on one class. */
  readonly raceOf: (variants: readonly Variant[], sizeClass: SizeClass) => Race;
  readonly progress: (fraction: number, message: string) => void;
}

/** What was found for one tunable variant. */
export interface TunedVariant {
  readonly variant: string;
  /** Configurations that were tried. */
  readonly tried: number;
  /** The best one per size that was measured. */
  readonly best: readonly { readonly size: number; readonly configuration: Configuration }[];
}

export interface Tuning {
  /** The winners, ready to race. */
  readonly variants: readonly Variant[];
  readonly report: readonly TunedVariant[];
  readonly rejections: readonly Rejection[];
}

/** Finds the best configurations of each tunable variant. */
export async function tune(request: TuneRequest): Promise<Tuning> {
  const { tunables, classes } = request;
  const variants: Variant[] = [];
  const report: TunedVariant[] = [];
  const rejections: Rejection[] = [];
  const chosen = spreadClasses(classes);
  for (const [i, tunable] of tunables.entries()) {
    const budgetMs = request.budgetMs / tunables.length;
    request.progress(i / tunables.length, `Tuning "${tunable.name}"`);
    const tuned = await tuneOne(tunable, chosen, { ...request, budgetMs });
    variants.push(...tuned.variants);
    report.push(tuned.report);
    rejections.push(...tuned.rejections);
  }
  return { variants, report, rejections };
}

async function tuneOne(tunable: Tunable, classes: readonly SizeClass[], request: TuneRequest) {
  const strategy = request.settings.performanceTuning.search;
  const bracket = new Bracket(tunable, classes, request);
  const share = strategy === 'successive_halving' ? FIRST_SHARE : 1;
  await bracket.race(proposals(tunable, request), request.budgetMs * share);
  if (strategy === 'successive_halving') {
    const near = new Map<string, Configuration>();
    for (const configuration of bracket.best.values()) {
      const around = neighbours(tunable.space, tunable.constraints, configuration);
      for (const each of around.slice(0, MAX_NEIGHBOURS)) near.set(configurationKey(each), each);
    }
    await bracket.race([...bracket.best.values(), ...near.values()], request.budgetMs * (1 - share));
  }
  const best = [...bracket.best].map(([size, configuration]) => ({ size, configuration }));
  const distinct = new Map(best.map(({ configuration }) => [configurationKey(configuration), configuration]));
  return {
    variants: [...distinct.values()].map((configuration) => tunable.configure(configuration)),
    report: { variant: tunable.name, tried: bracket.tried, best },
    rejections: bracket.rejections,
  };
}

/** Configurations to begin with. */
function proposals({ space, constraints }: Tunable, { settings, random }: TuneRequest): Configuration[] {
  return settings.performanceTuning.search === 'grid'
    ? gridConfigurations(space, constraints, GRID_LIMIT)
    : sampleConfigurations(space, constraints, SAMPLES, random);
}

/** Races configurations and remembers the best per size. */
class Bracket {
  readonly best = new Map<number, Configuration>();
  readonly rejections: Rejection[] = [];
  readonly #checked = new Map<string, Variant>();
  readonly #tunable: Tunable;
  readonly #classes: readonly SizeClass[];
  readonly #request: TuneRequest;

  constructor(tunable: Tunable, classes: readonly SizeClass[], request: TuneRequest) {
    this.#tunable = tunable;
    this.#classes = classes;
    this.#request = request;
  }

  get tried(): number {
    return this.#checked.size;
  }

  async race(configurations: readonly Configuration[], budgetMs: number): Promise<void> {
    const { raceOf, settings, random } = this.#request;
    const variants = await this.#agreeing(configurations);
    const entries = this.#classes
      .map((sizeClass) => ({
        sizeClass,
        eligible: variants.filter(({ name }) => takesPart(this.rejections, name, sizeClass.size)),
      }))
      .filter(({ eligible }) => eligible.length > 0);
    const races = entries.map(({ sizeClass, eligible }) => raceOf(eligible, sizeClass));
    await search(races, {
      strategy: settings.performanceTuning.search === 'successive_halving' ? 'successive_halving' : 'grid',
      budgetMs,
      random,
      now: () => performance.now(),
      progress: () => undefined,
    });
    for (const [i, { sizeClass }] of entries.entries()) {
      const left = races[i]!.standings().filter(({ eliminatedAfter }) => eliminatedAfter === undefined);
      if (left.length === 0) continue; // All of them threw.
      const leader = left.reduce((best, standing) => (standing.logRatio < best.logRatio ? standing : best));
      this.best.set(sizeClass.size, parseConfiguredName(leader.variant)!.configuration);
    }
  }

  /** Undefined where it cannot be made: its variant may be right with others. */
  #made(configuration: Configuration): Variant | undefined {
    const variant = configuredName(this.#tunable.name, configuration);
    const known = this.#checked.get(variant);
    if (known || this.rejections.some((rejection) => rejection.variant === variant)) return known;
    try {
      return this.#tunable.configure(configuration);
    } catch (error) {
      if (!(error instanceof OptimizerError)) throw error;
      const { size } = this.#classes[0]!;
      const message = `"${variant}" is out: ${error.message}`;
      this.rejections.push({ variant, reason: 'threw', size, smallest: null, message });
      return undefined;
    }
  }

  /** Made and checked once each. A configuration that is wrong is out alone: its variant may be right with others. */
  async #agreeing(configurations: readonly Configuration[]): Promise<Variant[]> {
    const { reference, agreement } = this.#request;
    const made = configurations.flatMap((configuration) => this.#made(configuration) ?? []);
    const fresh = made.filter(({ name }) => !this.#checked.has(name));
    for (const variant of fresh) this.#checked.set(variant.name, variant);
    if (fresh.length > 0) {
      const { rejections } = await checkAgreement([reference, ...fresh], this.#classes, agreement);
      this.rejections.push(...rejections);
    }
    return made.map(({ name }) => this.#checked.get(name)!);
  }
}

function spreadClasses(classes: readonly SizeClass[]): SizeClass[] {
  if (classes.length <= MAX_CLASSES) return [...classes];
  return Array.from(
    { length: MAX_CLASSES },
    (_, i) => classes[Math.round((i * (classes.length - 1)) / (MAX_CLASSES - 1))]!,
  );
}

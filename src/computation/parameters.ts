/**
 * Parameters of variants: block sizes, thresholds, pool sizes. A space describes them; a configuration is one point
 * of it; a configured variant is named after both, as in `blocked(blockSize=64, order=row)`, and can be made again
 * from that name in another process.
 */
import { describe, fail, SubjectError } from '../errors.js';
import { reasonOf } from './checked-call.js';
import { seededRandom, type Random } from './random.js';

export type ParameterValue = number | string | boolean;
/** Values by parameter name. A conditional parameter that does not apply is absent. */
export type Configuration = Readonly<Record<string, ParameterValue>>;

interface Common {
  /** Applies only where this holds for the parameters declared before it; absent from the configuration else. */
  readonly when?: (configuration: Configuration) => boolean;
}
export interface IntegerParameter extends Common {
  readonly type: 'integer';
  readonly min: number;
  readonly max: number;
  /** `log`: factors matter, not differences, as for block sizes. `linear` by default. */
  readonly scale?: 'linear' | 'log';
  readonly default?: number;
}
export interface FloatParameter extends Common {
  readonly type: 'float';
  readonly min: number;
  readonly max: number;
  readonly scale?: 'linear' | 'log';
  readonly default?: number;
}
export interface CategoricalParameter extends Common {
  readonly type: 'categorical';
  readonly values: readonly ParameterValue[];
  readonly default?: ParameterValue;
}
export type Parameter = IntegerParameter | FloatParameter | CategoricalParameter;
/** Parameters by name, in the order in which conditions may refer to them. */
export type ParameterSpace = Readonly<Record<string, Parameter>>;
/** True for configurations that may be tried. */
export type Constraint = (configuration: Configuration) => boolean;

/** Values per numeric parameter on a grid. */
const GRID_LEVELS = 5;
/** Points of a grid that are looked at: six numbers and a category of four still are, in some tens of milliseconds. */
const MAX_POINTS = 2 ** 16;
/** Draws per wanted configuration before the constraints are called too tight. */
const MAX_DRAWS = 200;

/** @throws INVALID_ARGUMENT */
export function checkSpace(space: unknown): asserts space is ParameterSpace {
  const isRecord = typeof space === 'object' && space !== null && !Array.isArray(space);
  if (!isRecord || Object.keys(space).length === 0) {
    const expected = "parameters by name, such as { blockSize: { type: 'integer', min: 16, max: 512 } }";
    throw fail('INVALID_ARGUMENT', { name: 'parameters', actual: describe(space), expected });
  }
  for (const [name, parameter] of Object.entries(space as Record<string, unknown>)) {
    const problem =
      /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__'
        ? problemOf(parameter)
        : 'a name that is an identifier';
    if (problem === null) continue;
    throw fail('INVALID_ARGUMENT', {
      name: `parameters.${name}`,
      actual: describe(parameter),
      expected: problem,
    });
  }
}

/** @throws INVALID_ARGUMENT */
export function checkConstraints(constraints: unknown): asserts constraints is readonly Constraint[] {
  const isList = Array.isArray(constraints);
  if (isList && constraints.every((constraint) => typeof constraint === 'function')) return;
  const wrong: unknown = isList
    ? constraints.find((constraint) => typeof constraint !== 'function')
    : constraints;
  throw fail('INVALID_ARGUMENT', {
    name: 'constraints',
    actual: isList ? `an array with ${describe(wrong)} in it` : describe(wrong),
    expected: 'an array of functions of a configuration, such as [({ blockSize }) => blockSize % 2 === 0]',
  });
}

/** What a parameter should be; null where it is. */
function problemOf(parameter: unknown): string | null {
  const {
    type,
    min,
    max,
    scale,
    values,
    when,
    default: initial,
  } = Object(parameter) as Record<string, unknown>;
  if (when !== undefined && typeof when !== 'function') return 'one whose `when` is a function';
  if (type === 'categorical') {
    const isValue = (value: unknown) =>
      ['number', 'string', 'boolean'].includes(typeof value) && !Number.isNaN(value);
    const ok = Array.isArray(values) && values.length > 0 && values.every(isValue);
    if (!ok || new Set(values).size !== values.length) return 'different values: numbers, texts or booleans';
    return initial === undefined || (values as unknown[]).includes(initial)
      ? null
      : 'a default that is one of its values';
  }
  if (type !== 'integer' && type !== 'float') return "one of type 'integer', 'float' or 'categorical'";
  const isNumber = (value: unknown): value is number =>
    type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (!isNumber(min) || !isNumber(max) || min > max) return `${type} bounds with min up to max`;
  if (scale !== undefined && scale !== 'linear' && scale !== 'log') return "the scale 'linear' or 'log'";
  if (scale === 'log' && min <= 0) return 'a min above 0 for the scale log';
  if (initial !== undefined && !(isNumber(initial) && initial >= min && initial <= max)) {
    return 'a default within its bounds';
  }
  return null;
}

/** What is in force before anything was measured: the defaults, else the least value or the first. */
export function defaultConfiguration(space: ParameterSpace): Configuration {
  return build(space, (parameter) =>
    parameter.default !== undefined
      ? parameter.default
      : parameter.type === 'categorical'
        ? parameter.values[0]!
        : parameter.min,
  );
}

/**
 * Different configurations drawn at random that meet the constraints; fewer than `count` where there are not more.
 */
export function sampleConfigurations(
  space: ParameterSpace,
  constraints: readonly Constraint[],
  count: number,
  random: Random,
): Configuration[] {
  const found = new Map<string, Configuration>();
  for (let draws = 0; draws < count * MAX_DRAWS && found.size < count; draws += 1) {
    const drawn = build(space, (parameter) => draw(parameter, random()));
    if (meets(drawn, constraints)) found.set(configurationKey(drawn), drawn);
  }
  return [...found.values()];
}

/**
 * The grid: all values of a category, up to five of a number; those that meet the constraints, `limit` at most. A dozen
 * parameters span hundreds of millions of points: of so many, some are drawn (always the same).
 */
export function gridConfigurations(
  space: ParameterSpace,
  constraints: readonly Constraint[],
  limit: number,
): Configuration[] {
  const levels = new Map(Object.entries(space).map(([name, parameter]) => [name, levelsOf(parameter)]));
  const points = [...levels.values()].reduce((product, { length }) => product * length, 1);
  const grid = points > MAX_POINTS ? somePoints(space, levels) : allPoints(space, levels);
  const admitted = grid.filter((configuration) => meets(configuration, constraints));
  if (admitted.length <= limit) return admitted;
  // Evenly thinned, so that no parameter loses its upper values alone.
  return Array.from({ length: limit }, (_, i) => admitted[Math.floor((i * admitted.length) / limit)]!);
}

type Levels = ReadonlyMap<string, readonly ParameterValue[]>;

function allPoints(space: ParameterSpace, levels: Levels): Configuration[] {
  let partial: Configuration[] = [{}];
  for (const [name, parameter] of Object.entries(space)) {
    partial = partial.flatMap((configuration) =>
      applies(parameter, configuration)
        ? levels.get(name)!.map((value) => ({ ...configuration, [name]: value }))
        : [configuration],
    );
  }
  return partial;
}

function somePoints(space: ParameterSpace, levels: Levels): Configuration[] {
  const random = seededRandom(1);
  const found = new Map<string, Configuration>();
  for (let draws = 0; draws < MAX_POINTS; draws += 1) {
    const drawn = build(space, (_, name) => {
      const values = levels.get(name)!;
      return values[Math.floor(random() * values.length)]!;
    });
    found.set(configurationKey(drawn), drawn);
  }
  return [...found.values()];
}

/** Configurations near one: each number a step up and down (an eighth of its range), each category its others. */
export function neighbours(
  space: ParameterSpace,
  constraints: readonly Constraint[],
  of: Configuration,
): Configuration[] {
  const found = new Map<string, Configuration>();
  for (const [name, parameter] of Object.entries(space)) {
    const value = of[name];
    if (value === undefined) continue;
    const others =
      parameter.type === 'categorical'
        ? parameter.values.filter((other) => other !== value)
        : [-1 / 8, 1 / 8].map((step) => draw(parameter, positionOf(parameter, value as number) + step));
    for (const other of others) {
      // Built anew: another value may switch a conditional parameter on or off.
      const changed = build(space, (each, key) => (key === name ? other : (of[key] ?? draw(each, 0.5))));
      if (changed[name] !== value && meets(changed, constraints))
        found.set(configurationKey(changed), changed);
    }
  }
  return [...found.values()];
}

/**
 * Whether a configuration lies in the space and meets the constraints. Never throws: what an earlier version of the
 * parameters allowed may be nothing that their conditions expect.
 */
export function isInSpace(
  space: ParameterSpace,
  constraints: readonly Constraint[],
  configuration: Configuration,
): boolean {
  try {
    return liesWithin(space, constraints, configuration);
  } catch (error) {
    if (error instanceof SubjectError) return false;
    throw error;
  }
}

function liesWithin(
  space: ParameterSpace,
  constraints: readonly Constraint[],
  configuration: Configuration,
): boolean {
  const built = build(space, (_, name) => configuration[name]!);
  const same = configurationKey(built) === configurationKey(configuration);
  const valid = Object.entries(built).every(([name, value]) => {
    const parameter = space[name]!;
    if (parameter.type === 'categorical') return parameter.values.includes(value);
    const isNumber = parameter.type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
    return isNumber && (value as number) >= parameter.min && (value as number) <= parameter.max;
  });
  return same && valid && meets(configuration, constraints);
}

/** `blocked(blockSize=64, order="row")`. */
export function configuredName(variant: string, configuration: Configuration): string {
  const textOf = (value: ParameterValue) =>
    typeof value === 'number' ? String(value) : JSON.stringify(value);
  const parts = Object.entries(configuration).map(([name, value]) => `${name}=${textOf(value)}`);
  return `${variant}(${parts.join(', ')})`;
}

/** The two parts of such a name; undefined for a name that is none. */
export function parseConfiguredName(
  name: string,
): { readonly variant: string; readonly configuration: Configuration } | undefined {
  if (!name.endsWith(')')) return undefined;
  // Brackets may be in the variant's own name, before those of the configuration, and in texts of it.
  for (let open = name.indexOf('('); open >= 0; open = name.indexOf('(', open + 1)) {
    const configuration = parseConfiguration(name.slice(open + 1, -1));
    if (configuration) return { variant: name.slice(0, open), configuration };
  }
  return undefined;
}

function parseConfiguration(text: string): Configuration | undefined {
  // Names are identifiers, so the text becomes JSON by quoting what stands before each `=` outside of texts.
  const json = text.replace(
    /("(?:[^"\\]|\\.)*")|([A-Za-z_$][\w$]*)=|Infinity/g,
    (_, quoted: string | undefined, key: string | undefined) =>
      quoted ?? (key === undefined ? '1e999' : `${JSON.stringify(key)}:`),
  );
  try {
    return JSON.parse(`{${json}}`) as Configuration;
  } catch {
    return undefined;
  }
}

export function configurationKey(configuration: Configuration): string {
  return configuredName('', configuration);
}

function build(
  space: ParameterSpace,
  choose: (parameter: Parameter, name: string) => ParameterValue,
): Configuration {
  const configuration: Record<string, ParameterValue> = {};
  for (const [name, parameter] of Object.entries(space)) {
    if (!applies(parameter, configuration)) continue;
    const value = choose(parameter, name);
    if (value !== undefined) configuration[name] = value;
  }
  return configuration;
}

/** @throws SUBJECT_THREW, as `meets` */
function applies({ when }: Parameter, configuration: Configuration): boolean {
  return when === undefined || answered('`when` of a parameter', when, configuration);
}

function meets(configuration: Configuration, constraints: readonly Constraint[]): boolean {
  return constraints.every((constraint) => answered('a constraint', constraint, configuration));
}

function answered(whose: string, test: Constraint, configuration: Configuration): boolean {
  try {
    return test(configuration);
  } catch (cause) {
    const reason = reasonOf(cause);
    const subject = `${whose} (of ${configurationKey(configuration)})`;
    throw fail('SUBJECT_THREW', { subject, reason }, { cause });
  }
}

/** Value at a position of 0 to 1 within the parameter; positions outside are taken as the nearest. */
function draw(parameter: Parameter, position: number): ParameterValue {
  const share = Math.min(Math.max(position, 0), 1);
  if (parameter.type === 'categorical') {
    const { values } = parameter;
    return values[Math.min(values.length - 1, Math.floor(share * values.length))]!;
  }
  const { min, max, scale, type } = parameter;
  const value = scale === 'log' ? min * (max / min) ** share : min + (max - min) * share;
  return Math.min(max, Math.max(min, type === 'integer' ? Math.round(value) : value));
}

function positionOf({ min, max, scale }: IntegerParameter | FloatParameter, value: number): number {
  if (max === min) return 0;
  return scale === 'log' ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
}

function levelsOf(parameter: Parameter): ParameterValue[] {
  if (parameter.type === 'categorical') return [...parameter.values];
  const levels = Array.from({ length: GRID_LEVELS }, (_, i) => draw(parameter, i / (GRID_LEVELS - 1)));
  return [...new Set(levels)];
}

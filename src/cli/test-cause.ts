/**
 * `sysopt test-cause`: decides by an experiment on a cause that no profile can see, with a module that does the work
 * both ways; for a proposed experiment the outcome is stored with its recommendation.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  DEFAULT_EXPORT_NAME,
  experimentTemplate,
  isExportName,
  renamedTemplate,
} from '../analysis/experiment-templates.js';
import { testCause, type ExperimentOutcome, type ExperimentSubject } from '../facade/cause-experiment.js';
import { EXPERIMENT_CAUSES, type ExperimentCause, type ExperimentStatus } from '../model/experiment.js';
import type { Action } from '../model/recommendation.js';
import { nearest } from '../settings/nearest.js';
import { SystemOptimizer } from '../system-optimizer.js';
import type { CompareOptions } from '../validation/options.js';
import { EXIT, UsageError } from './exit-code.js';
import { guideOnDisk } from './guide-path.js';
import { fromHere, placeFromHere } from './print-findings.js';
import { printComparison } from './print-profiles.js';
import type { Session, VerbOutcome } from './session.js';
import { wrap, type Style, type Terminal } from './terminal.js';

export interface TestCauseVerbOptions {
  readonly module?: string;
  readonly export?: string;
  readonly factory: boolean;
  /** The function's own arguments. */
  readonly args?: readonly unknown[];
  readonly recommendation?: string;
  /** Print a module to begin with, and measure nothing. */
  readonly template: boolean;
  readonly budgetMs?: number;
  readonly maxProcesses?: number;
  readonly failOnFound: boolean;
  readonly storage: string;
}

type Experiment = Extract<Action, { kind: 'experiment' }>;

export async function testCauseVerb(
  given: string | undefined,
  options: TestCauseVerbOptions,
  session: Session,
): Promise<VerbOutcome> {
  const named = given === undefined ? undefined : causeOf(given);
  if (named === undefined && options.recommendation === undefined) {
    throw new UsageError(
      'There is no cause to test.',
      `Name one of ${EXPERIMENT_CAUSES.join(', ')}, or a recommendation that proposes an experiment with --recommendation.`,
    );
  }
  if (options.template) checkTemplateName(options.export);
  const subject = options.template ? undefined : subjectOf(named, options);
  if (options.recommendation === undefined) {
    const cause = named!;
    if (subject === undefined) {
      return printTemplate(
        experimentTemplate(cause, options.export ?? DEFAULT_EXPORT_NAME, undefined),
        session,
      );
    }
    return tell(await testCause(cause, subject, compareOptions(options, session)), options, session);
  }
  return ofRecommendation(options.recommendation, named, subject, options, session);
}

async function ofRecommendation(
  id: string,
  named: ExperimentCause | undefined,
  subject: ExperimentSubject | undefined,
  options: TestCauseVerbOptions,
  session: Session,
): Promise<VerbOutcome> {
  const optimizer = new SystemOptimizer({ storagePath: options.storage });
  try {
    const action = await proposedIn(optimizer, id);
    if (named !== undefined && named !== action.cause) {
      throw new UsageError(`${id} is about ${action.cause}, not ${named}.`, 'Leave the cause out.');
    }
    if (subject === undefined) {
      const { template, export: name } = action;
      return printTemplate(renamedTemplate(template, name, options.export ?? name), session);
    }
    // Its template exports the function under the name that the action gives it.
    const proposed = { ...subject, export: options.export ?? action.export };
    const outcome = await optimizer.apply(id, proposed, compareOptions(options, session));
    return tell(outcome, options, session);
  } finally {
    await optimizer.close();
  }
}

async function proposedIn(optimizer: SystemOptimizer, id: string): Promise<Experiment> {
  const document = await optimizer.store.get(id);
  if ('action' in document && document.action.kind === 'experiment') return document.action;
  throw new UsageError(
    `${id} proposes no experiment.`,
    `Give the id of a recommendation that does, or carry it out: sysopt optimize --recommendation ${id}`,
  );
}

function causeOf(text: string): ExperimentCause {
  const found = EXPERIMENT_CAUSES.find((cause) => cause === text);
  if (found !== undefined) return found;
  const close = nearest(text, EXPERIMENT_CAUSES);
  throw new UsageError(
    `There is no experiment on "${text}".`,
    `${close === undefined ? '' : `Did you mean ${close}? `}There are those on ${EXPERIMENT_CAUSES.join(', ')}.`,
  );
}

/** @throws UsageError for a name that the printed module could not export. */
function checkTemplateName(name: string | undefined): void {
  if (name === undefined || isExportName(name)) return;
  throw new UsageError(
    `A module cannot export a function under the name "${name}".`,
    'Give another with --export: no word of the language, and none that the template itself uses.',
  );
}

/** @throws UsageError */
function subjectOf(cause: ExperimentCause | undefined, options: TestCauseVerbOptions): ExperimentSubject {
  const { module, export: name, factory, args, recommendation } = options;
  const about = recommendation === undefined ? (cause ?? '') : `--recommendation ${recommendation}`;
  if (module === undefined) {
    throw new UsageError(
      'There is no module that does the work both ways.',
      `Make one: sysopt test-cause ${about} --template > experiment.mjs; then give it with --module experiment.mjs --export NAME --factory.`,
    );
  }
  const path = resolve(module);
  if (!existsSync(path))
    throw new UsageError(`There is no file ${path}.`, 'Check the path given with --module.');
  return { module: path, export: name ?? DEFAULT_EXPORT_NAME, factory, ...(args && { args }) };
}

function compareOptions(
  { budgetMs, maxProcesses }: TestCauseVerbOptions,
  { terminal, signal }: Session,
): CompareOptions {
  return {
    ...(budgetMs !== undefined && { budgetMs }),
    ...(maxProcesses !== undefined && { maxProcesses }),
    signal,
    onProgress: (progress) => terminal.progress(progress),
  };
}

function printTemplate(template: string, { terminal }: Session): VerbOutcome {
  terminal.print(template.trimEnd());
  return { result: { template } };
}

const STATUS_STYLE: Readonly<Record<ExperimentStatus, Style>> = {
  cause_found: 'red',
  ruled_out: 'green',
  inconclusive: 'yellow',
};

function tell(
  outcome: ExperimentOutcome,
  options: TestCauseVerbOptions,
  { terminal, signal }: Session,
): VerbOutcome {
  signal.throwIfAborted();
  const { status, cause, finding, conclusion, comparison } = outcome;
  printComparison(terminal, comparison);
  terminal.print();
  const words = status.replaceAll('_', ' ');
  terminal.print(`${cause}: ${terminal.style(STATUS_STYLE[status], words)}`);
  terminal.print(wrap(fromHere(conclusion), terminal.columns));
  if (finding?.location !== undefined) terminal.print(`at ${placeFromHere(finding.location)}`);
  printNext(terminal, outcome, options);
  const isGate = options.failOnFound && status === 'cause_found';
  if (isGate) terminal.warn(`${cause} was found (--fail-on-found).`);
  return { result: outcome, exitCode: isGate ? EXIT.gate : EXIT.ok };
}

const GUIDES: Readonly<Record<ExperimentCause, string>> = {
  'false-sharing': 'false-sharing-and-cache-unfriendly-access',
  'cache-unfriendly-access': 'false-sharing-and-cache-unfriendly-access',
  'lock-contention': 'lock-contention',
};

function printNext(
  terminal: Terminal,
  { status, cause }: ExperimentOutcome,
  { recommendation, storage, budgetMs }: TestCauseVerbOptions,
): void {
  const lines: string[] = [];
  if (status === 'inconclusive') {
    const minutes = Math.ceil(((budgetMs ?? 60_000) * 4) / 60_000);
    lines.push(
      `More time may decide: --budget ${minutes}m --max-processes 100, on a machine that does nothing else.`,
    );
  }
  if (status === 'cause_found')
    lines.push(`What to do: ${guideOnDisk(`docs/guide-causes.md#${GUIDES[cause]}`)}`);
  if (recommendation !== undefined) lines.push(`Stored with ${recommendation} in ${storage}.`);
  for (const line of lines) terminal.print(terminal.style('dim', line));
}

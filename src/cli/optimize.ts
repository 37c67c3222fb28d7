import { fail, SubjectError, TaskError } from '../errors.js';
import { withOutcome } from '../facade/recommended-action.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { Recommendation } from '../model/recommendation.js';
import { subjectKey, type Subject } from '../model/subject.js';
import { OptimizationType } from '../model/types.js';
import { SystemOptimizer } from '../system-optimizer.js';
import { commandFor } from '../report/actions.js';
import { confirm } from './confirm.js';
import { EXIT, reportOf, UsageError, type ErrorReport, type ExitCode } from './exit-code.js';
import { guideOnDisk } from './guide-path.js';
import { fromHere } from './print-findings.js';
import { printProfiles } from './print-profiles.js';
import type { Session, VerbOutcome } from './session.js';
import { prepareStorage } from './store.js';
import { registerSubjects } from './subjects.js';
import { startText, tryStart, type StartChange } from './try-start.js';

export interface OptimizeVerbOptions {
  readonly storage: string;
  readonly subjects?: string;
  readonly type?: OptimizationType;
  /** For all subjects together. Undefined: the optimizer's default for each. */
  readonly budgetMs?: number;
  readonly recommendation?: string;
  readonly tryFlag?: string;
  readonly tryEnv?: StartChange;
  readonly url?: string;
  /** File with a mix of requests for --try-flag and --try-env. */
  readonly load?: string;
  readonly connections: number;
  readonly readyTimeoutMs: number;
  readonly yes: boolean;
  readonly requireGain: boolean;
}

/** `sysopt optimize`: runs the optimisers, or carries one recommendation out, or tries a Node flag. */
export async function optimizeVerb(
  command: readonly string[],
  options: OptimizeVerbOptions,
  session: Session,
): Promise<VerbOutcome> {
  const change = changeOf(options);
  checkCombination(command, change, options);
  await prepareStorage(options.storage);
  const { terminal, signal } = session;
  const { budgetMs } = options;
  // A recommendation is carried out as the optimizer has it, within its own budget.
  const optimizer = new SystemOptimizer({
    storagePath: options.storage,
    ...(budgetMs !== undefined && { budgetMs }),
  });
  const profiles: OptimizationProfile[] = [];
  optimizer.on('optimization', (profile) => profiles.push(profile));
  optimizer.on('progress', (progress) => terminal.progress(progress));
  optimizer.on('warning', (message) => terminal.warn(message));
  // Closing aborts what runs and waits for it, so that nothing is left half written.
  const close = () => void optimizer.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    if (options.subjects !== undefined) await registerSubjects(options.subjects, optimizer);
    const errors: ErrorReport[] = [];
    if (options.recommendation !== undefined) {
      await carryOut(options.recommendation, command, options, optimizer, profiles, session);
    } else if (change !== undefined) {
      profiles.push(await tryStart(change, command, options, optimizer.store, session));
    } else {
      errors.push(...(await optimizeSubjects(options, optimizer, session)));
    }
    signal.throwIfAborted();
    if (change === undefined) printProfiles(terminal, profiles);
    const config = optimizer.store.config();
    terminal.print();
    terminal.print(terminal.style('dim', closingLines(profiles, options)));
    return { result: { profiles, errors, config }, exitCode: exitCode(profiles, errors, options) };
  } finally {
    signal.removeEventListener('abort', close);
    await optimizer.close();
  }
}

/** What is to be tried on the service, where something is. */
function changeOf({ tryFlag, tryEnv, recommendation }: OptimizeVerbOptions): StartChange | undefined {
  const given = [
    tryFlag !== undefined && '--try-flag',
    tryEnv !== undefined && '--try-env',
    recommendation !== undefined && '--recommendation',
  ].filter((name) => name !== false);
  if (given.length > 1)
    throw new UsageError(`${given.join(' and ')} exclude each other.`, 'Give one of them.');
  return tryFlag === undefined ? tryEnv : { flag: tryFlag };
}

function checkCombination(
  command: readonly string[],
  change: StartChange | undefined,
  { url, load, recommendation }: OptimizeVerbOptions,
): void {
  if (change !== undefined && (command.length === 0 || url === undefined)) {
    const option = 'flag' in change ? '--try-flag' : '--try-env';
    throw new UsageError(
      `${option} needs the service to try it on.`,
      `Give it and its URL: sysopt optimize ${option} ${startText(change)} --url http://127.0.0.1:3000/ -- node app.js`,
    );
  }
  if (command.length > 0 && change === undefined && recommendation === undefined) {
    throw new UsageError(
      `The command "${command.join(' ')}" has no use here.`,
      'Optimisers run on subjects (--subjects FILE). To profile a program: sysopt profile -- node app.js',
    );
  }
  const unused = url === undefined ? load && '--load' : '--url';
  if (unused && change === undefined && recommendation === undefined) {
    throw new UsageError(
      `${unused} has no use here.`,
      'It drives load at a service that --try-flag, --try-env or a recommendation of one of those is tried on.',
    );
  }
}

/** One optimiser call a subject, so that one that fails does not keep the others from their turn. */
async function optimizeSubjects(
  options: OptimizeVerbOptions,
  optimizer: SystemOptimizer,
  { terminal, signal }: Session,
): Promise<ErrorReport[]> {
  const wanted = optimizer.subjects.filter(
    (subject) =>
      TYPE_OF[subject.kind] !== undefined &&
      (options.type ?? TYPE_OF[subject.kind]) === TYPE_OF[subject.kind],
  );
  const runs: { type: OptimizationType; subject?: Subject }[] =
    wanted.length > 0
      ? wanted.map((subject) => ({ type: TYPE_OF[subject.kind]!, subject }))
      : [{ type: withoutSubjects(options) }];
  const budgetMs = options.budgetMs === undefined ? undefined : options.budgetMs / runs.length;
  const errors: ErrorReport[] = [];
  for (const { type, subject } of runs) {
    signal.throwIfAborted();
    const name = subject === undefined ? 'the reference records' : `${subject.kind} ${subject.name}`;
    terminal.progress({ stage: name, message: `Optimising ${name}` });
    const call = {
      ...(budgetMs !== undefined && { budgetMs }),
      ...(subject && { subject: subjectKey(subject) }),
      signal,
    };
    try {
      if (type === OptimizationType.MEMORY) await optimizer.optimizeMemory(call);
      else if (type === OptimizationType.THREAD) await optimizer.optimizeThreads(call);
      else await optimizer.optimizeComputation(call);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SubjectError) && !(error instanceof TaskError)) throw error;
      const report = reportOf(error);
      terminal.error(`${name}: ${report.message}`, report.hint);
      errors.push(report);
    }
  }
  return errors;
}

const TYPE_OF: Readonly<Partial<Record<Subject['kind'], OptimizationType>>> = {
  struct: OptimizationType.MEMORY,
  pool: OptimizationType.MEMORY,
  computation: OptimizationType.COMPUTATION,
  job: OptimizationType.THREAD,
};

function withoutSubjects(options: OptimizeVerbOptions): OptimizationType {
  const type = options.type ?? OptimizationType.MEMORY;
  if (type !== OptimizationType.COMPUTATION) return type;
  throw new UsageError(
    'There is no computation to optimise.',
    'Export one from a module and give it with --subjects FILE; there is no reference computation.',
  );
}

async function carryOut(
  id: string,
  command: readonly string[],
  options: OptimizeVerbOptions,
  optimizer: SystemOptimizer,
  profiles: OptimizationProfile[],
  session: Session,
): Promise<void> {
  const { terminal, signal } = session;
  const document = await optimizer.store.get(id);
  const change = 'action' in document ? startChangeOf(document) : undefined;
  if ('action' in document && change !== undefined && command.length > 0) {
    if (options.url === undefined) {
      throw new UsageError('It is tried under load.', 'Give the service’s URL with --url.');
    }
    const profile = await tryStart(change, command, options, optimizer.store, session);
    profiles.push(profile);
    await optimizer.store.saveRecommendation(withOutcome(document, profile));
    return;
  }
  if ('action' in document) refuseWhatIsNoCall(document);
  const title = 'action' in document ? document.title : id;
  if (!(await confirm(`Carry out “${title}”?`, options.yes, session))) {
    terminal.print('Nothing was changed.');
    return;
  }
  const profile = await optimizer.apply(id);
  signal.throwIfAborted();
  // A profile that won before is put in force again without being measured again.
  if (!profiles.some((known) => known.id === profile.id)) profiles.push(profile);
}

function startChangeOf({ action }: Recommendation): StartChange | undefined {
  if (action.kind === 'runtime-flag') return { flag: action.flag };
  return action.kind === 'environment' ? { variable: action.variable, value: action.value } : undefined;
}

/** A change to the code is for a person to make, and a flag needs the program: neither is a call. */
function refuseWhatIsNoCall({ action, id, title, cause }: Recommendation): void {
  if (action.kind === 'runtime-flag' || action.kind === 'environment') {
    const what = action.kind === 'environment' ? startText(action) : `the Node flag ${action.flag}`;
    throw new UsageError(
      `A running process cannot take ${what}: it is tried on the service, under load.`,
      `Run: ${commandFor(action, id)}`,
    );
  }
  if (action.kind === 'experiment') {
    throw new UsageError(
      'An experiment is run by another verb, with a module that does the work both ways.',
      `Run: ${commandFor(action, id).split('\n').join(', fill the module in, and: ')}`,
    );
  }
  if (action.kind === 'code-change') {
    const place = title.endsWith(action.summary) ? title.slice(0, -action.summary.length) : title;
    throw fail('NOTHING_TO_APPLY', {
      title: fromHere(place).replace(/:? *$/, '') || cause,
      remedy: `${action.summary} Guide: ${guideOnDisk(action.guide)}`,
    });
  }
}

const DEFAULT_BUDGET_MS = 60_000;

/** What the run came to, and what to do where it decided nothing. */
export function closingLines(
  profiles: readonly OptimizationProfile[],
  options: Pick<OptimizeVerbOptions, 'storage' | 'budgetMs' | 'tryFlag'>,
): string {
  const { storage, budgetMs = DEFAULT_BUDGET_MS * profiles.length } = options;
  if (profiles.length === 0) return 'Nothing was optimised.';
  if (profiles.some(({ status }) => status === 'applied')) {
    return options.tryFlag === undefined
      ? `Put in force in ${storage}/config.json; a service loads it from there when it constructs its optimizer.`
      : `Recorded in ${storage}/config.json.`;
  }
  const stored = `Nothing was changed; the measurements are stored in ${storage}.`;
  if (!profiles.every(({ status }) => status === 'inconclusive')) return stored;
  const minutes = Math.ceil((budgetMs * 4) / 60_000);
  return `${stored}\nThe time given decided nothing: try a larger budget (--budget ${minutes}m) on a machine that does nothing else.`;
}

function exitCode(
  profiles: readonly OptimizationProfile[],
  errors: readonly ErrorReport[],
  options: OptimizeVerbOptions,
): ExitCode {
  if (errors.length > 0 || profiles.some(({ status }) => status === 'failed')) return EXIT.target;
  const gain = profiles.some(({ status, subject }) => status === 'applied' && subject.kind !== 'reference');
  return options.requireGain && !gain ? EXIT.gate : EXIT.ok;
}

import type { Finding } from '../model/finding.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Action, Recommendation } from '../model/recommendation.js';

/** A recommendation below a finding. `sameAs` is the number of the finding that it was given in full for. */
export interface Answer {
  readonly recommendation: Recommendation;
  readonly sameAs?: number;
}

export interface AnsweredFinding {
  readonly finding: Finding;
  /** From 1, gravest first. */
  readonly number: number;
  readonly answers: readonly Answer[];
}

/**
 * Each finding with what to do about it, every recommendation once. Five findings of one cause have five
 * recommendations of the same change: those after the first refer to it. `others` answer no finding.
 */
export function answerFindings({ analysis, recommendations }: ProfilingResult): {
  readonly findings: readonly AnsweredFinding[];
  readonly others: readonly Recommendation[];
} {
  const given = new Set<Recommendation>();
  const firstOf = new Map<string, number>();
  const findings = analysis.findings.map((finding, index) => {
    const number = index + 1;
    const answers = recommendations
      .filter((recommendation) => !given.has(recommendation) && isAnswer(recommendation, finding))
      .map((recommendation): Answer => {
        given.add(recommendation);
        // The line is the place’s, not the advice’s.
        const advice = { ...recommendation.action, source: undefined };
        const what = JSON.stringify([recommendation.cause, advice]);
        const sameAs = firstOf.get(what);
        if (sameAs === undefined) firstOf.set(what, number);
        return sameAs === undefined || sameAs === number ? { recommendation } : { recommendation, sameAs };
      });
    return { finding, number, answers };
  });
  return { findings, others: recommendations.filter((recommendation) => !given.has(recommendation)) };
}

/** Same cause, and same place where both name one. */
function isAnswer(recommendation: Recommendation, finding: Finding): boolean {
  if (recommendation.cause !== finding.cause) return false;
  const [a, b] = [finding.location, recommendation.location];
  return a === undefined || b === undefined || (a.file === b.file && a.line === b.line);
}

/**
 * What a recommendation says, each sentence once. Its title names the place too; below a finding, which has
 * named it, what is to be done is enough.
 */
export function wordsOf({ action, title }: Recommendation, belowFinding: boolean): string[] {
  const sentence = describeAction(action);
  if (!title.endsWith(sentence)) return [title, sentence];
  return [belowFinding ? sentence : title];
}

/** What a recommendation is, above its words: a proposal to measure answers nothing yet. */
export function labelOf({ action }: Recommendation): string {
  return action.kind === 'experiment' ? 'Worth measuring' : 'What to do';
}

/** What an action is, in a sentence. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'optimize-memory':
      return `The optimizer can plan and measure the memory layout${ofSubject(action.subject)}.`;
    case 'optimize-computation':
      return `The optimizer can race the variants${ofSubject(action.subject)} and pick one per input size.`;
    case 'optimize-threads':
      return `The optimizer can find the number of threads and the chunk size${ofSubject(action.subject)}.`;
    case 'runtime-flag':
      return `Try the Node flag ${action.flag}, measured against the service as it is.`;
    case 'environment':
      return `Try ${action.variable}=${action.value} in the environment, measured against the service as it is.`;
    case 'experiment':
      return `An experiment decides. ${action.rationale}`;
    case 'code-change':
      return action.summary;
  }
}

/** The command that carries an action out; of an experiment two lines: a module to fill in comes first. */
export function commandFor(action: Exclude<Action, { kind: 'code-change' }>, id: string): string {
  if (action.kind === 'experiment') {
    const verb = `sysopt test-cause --recommendation ${id}`;
    return `${verb} --template > experiment.mjs\n${verb} --module experiment.mjs --export ${action.export} --factory`;
  }
  const isOfStart = action.kind === 'runtime-flag' || action.kind === 'environment';
  return `sysopt optimize --recommendation ${id} ${isOfStart ? '--url URL -- node app.js' : '--subjects subjects.js'}`;
}

/** A page of the guide as it lies in a project that has the package installed. */
export function installedGuide(guide: string): string {
  return `node_modules/system-optimizer/${guide}`;
}

function ofSubject(subject: string | undefined): string {
  return subject === undefined ? '' : ` of ${subject}`;
}

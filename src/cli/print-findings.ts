import { sep } from 'node:path';
import type { CodeLocation } from '../model/finding.js';
import type { Metrics } from '../model/metric.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Recommendation } from '../model/recommendation.js';
import { answerFindings, commandFor, labelOf, wordsOf, type AnsweredFinding } from '../report/actions.js';
import {
  evidenceInWords,
  formatCount,
  formatFunctionName,
  formatPlace,
  profileName,
  shortenPaths,
} from '../report/format.js';
import { missingInWords, missingMetrics } from '../report/missing.js';
import { formatDurationMs, formatNumber, formatShare } from '../units.js';
import { guideOnDisk } from './guide-path.js';
import { printNative } from './print-native.js';
import { printRetainers } from './print-retainers.js';
import { printWaiting } from './print-waiting.js';
import { visible, wrap, type Style, type Terminal } from './terminal.js';

const SEVERITY_STYLE: Readonly<Record<string, Style>> = {
  critical: ['red', 'bold'],
  high: 'red',
  medium: 'yellow',
  low: 'blue',
  info: 'dim',
};

/**
 * A profiling result for people: what was run, the summary, every finding with what to do, operations or threads,
 * and what could not be measured.
 *
 * @param byDoctor reasons for a missing metric about which `sysopt doctor` has more to say.
 */
export function printResult(
  terminal: Terminal,
  result: ProfilingResult,
  byDoctor: ReadonlySet<string> = new Set(),
): void {
  const { load } = result.target;
  const run = [
    `${profileName(result.type)} of ${visible(result.target.description)}`,
    formatDurationMs(result.durationMs),
    ...(load === undefined
      ? []
      : [
          `${formatNumber(load.requestsPerSecond)} requests/s`,
          `p99 ${formatDurationMs(load.latencyMs.p99)}`,
          ...(load.errors > 0 ? [`${formatNumber(load.errors)} requests failed`] : []),
        ]),
  ];
  terminal.print();
  terminal.print(terminal.style('dim', run.join(' · ')));
  terminal.print(wrap(fromHere(result.analysis.summary), terminal.columns));
  const { findings, others } = answerFindings(result);
  for (const answered of findings) printFinding(terminal, answered);
  for (const recommendation of others) {
    terminal.print();
    printRecommendation(terminal, recommendation, false);
  }
  printWaiting(terminal, result, fromHere);
  printNative(terminal, result);
  printRetainers(terminal, result, fromHere);
  printMissing(terminal, result.metrics, byDoctor);
}

const INDENT = '   ';

function printFinding(terminal: Terminal, { finding, number, answers }: AnsweredFinding): void {
  const severity = terminal.style(SEVERITY_STYLE[finding.severity] ?? 'reset', finding.severity);
  const facts = [
    finding.cause,
    `confidence ${formatShare(finding.confidence)}`,
    ...(finding.expectedGain === undefined
      ? []
      : [`up to ${formatShare(finding.expectedGain)} of CPU time to win`]),
  ];
  terminal.print();
  terminal.print(
    `${number}. ${terminal.style('bold', wrap(fromHere(finding.title), terminal.columns, INDENT))}`,
  );
  terminal.print(`${INDENT}${severity} ${terminal.style('dim', facts.join(', '))}`);
  if (finding.location !== undefined) {
    const name = visible(formatFunctionName(finding.location.function));
    terminal.print(`${INDENT}in ${terminal.style('cyan', name)} at ${placeFromHere(finding.location)}`);
  }
  if (finding.detail !== undefined) {
    terminal.print(`${INDENT}${wrap(fromHere(finding.detail), terminal.columns, INDENT)}`);
  }
  for (const evidence of finding.evidence) {
    terminal.print(
      `${INDENT}- ${wrap(fromHere(evidenceInWords(evidence)), terminal.columns, `${INDENT}  `)}`,
    );
  }
  const repeated = new Set<number>();
  for (const { recommendation, sameAs } of answers) {
    if (sameAs === undefined) printRecommendation(terminal, recommendation, true);
    else repeated.add(sameAs);
  }
  for (const first of repeated) terminal.print(`${whatToDo(terminal)} as for ${first}.`);
}

/** One recommendation: what to do, and the pattern or the command that does it. */
function printRecommendation(
  terminal: Terminal,
  recommendation: Recommendation,
  belowFinding: boolean,
): void {
  const { action, id } = recommendation;
  const indent = `${INDENT}  `;
  const [title = '', ...more] = wordsOf(recommendation, belowFinding);
  const label = `${labelOf(recommendation)}:`;
  terminal.print(
    `${INDENT}${terminal.style('green', label)} ${wrap(fromHere(title), terminal.columns - label.length - 1, indent)}`,
  );
  for (const sentence of more) {
    terminal.print(`${indent}${wrap(fromHere(sentence), terminal.columns, indent)}`);
  }
  if (action.kind !== 'code-change') {
    for (const line of commandFor(action, id).split('\n'))
      terminal.print(`${indent}${terminal.style('cyan', `$ ${visible(line)}`)}`);
    return;
  }
  if (action.source !== undefined) {
    terminal.print(`${indent}${terminal.style('dim', 'The line:')} ${visible(action.source)}`);
  }
  terminal.print(`${indent}${terminal.style('red', 'The pattern:')}`);
  for (const line of codeLines(action.before)) terminal.print(`${indent}  ${line}`);
  terminal.print(`${indent}${terminal.style('green', 'Write instead:')}`);
  for (const line of codeLines(action.after)) terminal.print(`${indent}  ${line}`);
  terminal.print(`${indent}${terminal.style('dim', `Guide: ${visible(guideOnDisk(action.guide))}`)}`);
}

function whatToDo(terminal: Terminal): string {
  return `${INDENT}${terminal.style('green', 'What to do:')}`;
}

function printMissing(terminal: Terminal, metrics: Metrics, byDoctor: ReadonlySet<string>): void {
  const missing = missingMetrics(metrics);
  const count = missing.reduce((sum, { names }) => sum + names.length, 0);
  if (count === 0) return;
  const line = (text: string) => terminal.print(terminal.style('dim', text));
  terminal.print();
  line(`${formatCount(count, 'metric has', 'metrics have')} no value:`);
  for (const group of missing) line(`  ${wrap(missingInWords(group), terminal.columns, '    ')}`);
  if (missing.some(({ reason }) => byDoctor.has(reason))) {
    line('What this machine cannot measure, and what would help: sysopt doctor');
  }
}

function codeLines(code: string): string[] {
  return code.replace(/\n$/, '').split('\n').map(visible);
}

/** A place as an editor opens it from the working directory. */
export function placeFromHere(location: CodeLocation): string {
  return visible(fromHere(formatPlace(location)));
}

/** Text with the paths below the working directory shown from there. */
export function fromHere(text: string): string {
  const cwd = process.cwd();
  return shortenPaths(text, cwd.endsWith(sep) ? cwd : `${cwd}${sep}`);
}

import { relative } from 'node:path';
import type { CodeLocation, Finding } from '../model/finding.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Recommendation } from '../model/recommendation.js';
import { commandFor, describeAction, recommendationsFor } from '../report/findings.js';
import { formatPlace, formatValue, profileName } from '../report/format.js';
import { formatDurationMs, formatNumber, formatShare } from '../units.js';
import { visible, wrap, type Style, type Terminal } from './terminal.js';

const SEVERITY_STYLE: Readonly<Record<string, Style>> = {
  critical: ['red', 'bold'],
  high: 'red',
  medium: 'yellow',
  low: 'blue',
  info: 'dim',
};

/** A profiling result for people: what was run, the summary, and every finding with what to do. */
export function printResult(terminal: Terminal, result: ProfilingResult): void {
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
  terminal.print(wrap(result.analysis.summary, terminal.columns));
  const answered = new Set<Recommendation>();
  result.analysis.findings.forEach((finding, index) => {
    const recommendations = recommendationsFor(finding, result.recommendations).filter(
      (recommendation) => !answered.has(recommendation),
    );
    for (const recommendation of recommendations) answered.add(recommendation);
    printFinding(terminal, finding, index + 1, recommendations);
  });
  const others = result.recommendations.filter((recommendation) => !answered.has(recommendation));
  for (const recommendation of others) printRecommendation(terminal, recommendation);
  const missing = Object.values(result.metrics).filter((metric) => !metric.available).length;
  if (missing > 0) {
    terminal.print();
    terminal.print(
      terminal.style('dim', `${missing} metrics are not available on this machine; sysopt doctor says why.`),
    );
  }
}

function printFinding(
  terminal: Terminal,
  finding: Finding,
  number: number,
  recommendations: readonly Recommendation[],
): void {
  const indent = '   ';
  const severity = terminal.style(SEVERITY_STYLE[finding.severity] ?? 'reset', finding.severity);
  const facts = [
    finding.cause,
    `confidence ${formatShare(finding.confidence)}`,
    ...(finding.expectedGain === undefined
      ? []
      : [`up to ${formatShare(finding.expectedGain)} of CPU time to win`]),
  ];
  terminal.print();
  terminal.print(`${number}. ${terminal.style('bold', wrap(finding.title, terminal.columns, indent))}`);
  terminal.print(`${indent}${severity} ${terminal.style('dim', facts.join(', '))}`);
  if (finding.location !== undefined) {
    const name = visible(finding.location.function === '' ? '(anonymous)' : finding.location.function);
    terminal.print(`${indent}in ${terminal.style('cyan', name)} at ${placeFromHere(finding.location)}`);
  }
  if (finding.detail !== undefined) {
    terminal.print(`${indent}${wrap(finding.detail, terminal.columns, indent)}`);
  }
  for (const evidence of finding.evidence) {
    const against =
      evidence.threshold === undefined
        ? ''
        : ` (${formatValue(evidence.value, evidence.unit)} against ${formatValue(evidence.threshold, evidence.unit)})`;
    terminal.print(`${indent}- ${wrap(`${evidence.statement}${against}`, terminal.columns, `${indent}  `)}`);
  }
  for (const recommendation of recommendations) printRecommendation(terminal, recommendation);
}

function printRecommendation(terminal: Terminal, recommendation: Recommendation): void {
  const indent = '   ';
  terminal.print(
    `${indent}${terminal.style('green', 'What to do:')} ${wrap(recommendation.title, terminal.columns - 12, indent)}`,
  );
  printAction(terminal, recommendation, `${indent}  `);
}

function printAction(terminal: Terminal, recommendation: Recommendation, indent: string): void {
  const { action, id, title } = recommendation;
  const sentence = describeAction(action);
  // Titles often end with what is to be done: once is enough.
  if (!title.endsWith(sentence)) terminal.print(`${indent}${wrap(sentence, terminal.columns, indent)}`);
  if (action.kind !== 'code-change') {
    terminal.print(`${indent}${terminal.style('cyan', `$ ${commandFor(action, id)}`)}`);
    return;
  }
  for (const line of codeLines(action.before))
    terminal.print(`${indent}${terminal.style('red', `- ${line}`)}`);
  for (const line of codeLines(action.after))
    terminal.print(`${indent}${terminal.style('green', `+ ${line}`)}`);
  terminal.print(`${indent}${terminal.style('dim', `Guide: ${action.guide}`)}`);
}

function codeLines(code: string): string[] {
  return code.replace(/\n$/, '').split('\n').map(visible);
}

/** A place as an editor opens it from the working directory. */
function placeFromHere(location: CodeLocation): string {
  const { file } = location;
  const path = file.startsWith('file://') ? new URL(file).pathname : file;
  const fromHere = path.startsWith('/') ? relative(process.cwd(), path) : path;
  const shorter = fromHere !== '' && !fromHere.startsWith('..') ? fromHere : path;
  return visible(formatPlace({ file: shorter, line: location.line }));
}

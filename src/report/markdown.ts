import type { StoredComparison } from '../model/comparison.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Recommendation } from '../model/recommendation.js';
import { CHANGED_BY } from './comparisons.js';
import { formatDurationMs, formatNumber, formatShare } from '../units.js';
import { answerFindings, commandFor, installedGuide, labelOf, wordsOf } from './actions.js';
import { statusText } from './findings.js';
import { frameOrigin } from './flame-graph.js';
import {
  commonDirectory,
  evidenceInWords,
  formatCount,
  formatGain,
  formatPlace,
  profileName,
  shortenPaths,
} from './format.js';
import { missingInWords, missingMetrics } from './missing.js';
import { statsSentence, type ReportInput } from './input.js';
import { describeChoice, groupProfiles } from './optimizations.js';

/**
 * Renders the report as Markdown, for the job summary of a CI run or a comment on a pull request. Names from
 * the profiled program are escaped or fenced, so that they cannot become markup, links or mentions.
 *
 * @example
 * await appendFile(process.env.GITHUB_STEP_SUMMARY, renderMarkdown({ results, profiles }));
 */
export function renderMarkdown(input: ReportInput): string {
  const blocks: string[] = [];
  for (const result of input.results) blocks.push(...resultBlocks(result));
  blocks.push(...optimizationBlocks(input.profiles));
  blocks.push(...comparisonBlocks(input.comparisons ?? []));
  if (input.stats !== undefined) {
    blocks.push(`In the store: ${escapeMarkdown(statsSentence(input.stats))}`);
  }
  const environment = input.results[0]?.environment ?? input.profiles[0]?.environment ?? input.environment;
  if (environment !== undefined) {
    const { host } = environment;
    blocks.push(
      `Measured on ${escapeMarkdown(host.cpuModel)}, ${host.logicalCpus} CPUs, ${escapeMarkdown(host.platform)} ${escapeMarkdown(host.arch)}, Node ${escapeMarkdown(environment.node)}.`,
    );
  }
  if (blocks.length === 0) blocks.push('The store holds nothing yet.');
  return `${blocks.join('\n\n')}\n`;
}

function resultBlocks(result: ProfilingResult): string[] {
  const root = commonDirectory(
    result.functions
      .map((cost) => cost.location.file)
      .filter((file) => frameOrigin({ name: '', file }) === 'user'),
  );
  const prose = (text: string) => escapeMarkdown(shortenPaths(text, root));
  const blocks = [
    `## ${profileName(result.type)} of ${code(result.target.description)}`,
    prose(result.analysis.summary),
  ];
  if (result.trigger !== undefined) blocks.push(prose(`Taken by the monitor: ${result.trigger.statement}`));
  const { load } = result.target;
  if (load !== undefined) {
    blocks.push(
      `Load: ${formatNumber(load.requestsPerSecond)} requests a second, p50 ${formatDurationMs(load.latencyMs.p50)}, p99 ${formatDurationMs(load.latencyMs.p99)}, ${formatNumber(load.errors)} failed.`,
    );
  }
  const rows = result.analysis.findings.map((finding) => {
    const place =
      finding.location === undefined
        ? '–'
        : `${code(finding.location.function || '(anonymous)')} ${code(formatPlace(finding.location, root))}`;
    return `| ${finding.severity} | ${prose(finding.title)} | ${place} | ${formatShare(finding.confidence)} |`;
  });
  if (rows.length > 0) {
    blocks.push(['| Severity | Finding | Place | Confidence |', '|---|---|---|---:|', ...rows].join('\n'));
  }
  const { findings, others } = answerFindings(result);
  for (const { finding, answers } of findings) {
    if (finding.evidence.length === 0 && answers.length === 0) continue;
    const lines = [`<details><summary>${prose(finding.title)}</summary>`, ''];
    for (const evidence of finding.evidence) {
      lines.push(`- ${prose(evidenceInWords(evidence))}`);
    }
    for (const { recommendation, sameAs } of answers) {
      if (sameAs === undefined) lines.push('', ...recommendationLines(recommendation, prose, true));
      else lines.push('', `**What to do:** as for “${prose(findings[sameAs - 1]?.finding.title ?? '')}”.`);
    }
    lines.push('', '</details>');
    blocks.push(lines.join('\n'));
  }
  for (const other of others) blocks.push(recommendationLines(other, prose, false).join('\n'));
  const missing = missingMetrics(result.metrics);
  const count = missing.reduce((sum, { names }) => sum + names.length, 0);
  if (count > 0) {
    const summary = `${formatCount(count, 'metric has', 'metrics have')} no value`;
    const reasons = missing.map((group) => `- ${escapeMarkdown(missingInWords(group))}`);
    blocks.push([`<details><summary>${summary}</summary>`, '', ...reasons, '', '</details>'].join('\n'));
  }
  return blocks;
}

function recommendationLines(
  recommendation: Recommendation,
  prose: (text: string) => string,
  belowFinding: boolean,
): string[] {
  const { action, id } = recommendation;
  const [title = '', ...more] = wordsOf(recommendation, belowFinding);
  const lines = [
    `**${labelOf(recommendation)}:** ${prose(title)}`,
    '',
    ...more.flatMap((text) => [prose(text), '']),
  ];
  if (action.kind !== 'code-change') return [...lines, fence(commandFor(action, id), 'sh')];
  return [
    ...lines,
    ...(action.source === undefined ? [] : ['The line:', '', fence(action.source), '']),
    'The pattern:',
    '',
    fence(action.before),
    '',
    'Write instead:',
    '',
    fence(action.after),
    '',
    `Guide: ${code(installedGuide(action.guide))}`,
  ];
}

function optimizationBlocks(profiles: readonly OptimizationProfile[]): string[] {
  const groups = groupProfiles(profiles);
  const blocks: string[] = [];
  const table = (title: string, note: string, members: readonly OptimizationProfile[]) => {
    if (members.length === 0) return;
    const rows = members.map((profile) => {
      const gain = profile.validation === null ? '–' : formatGain(profile.validation);
      const what =
        profile.choice === null ? cell(profile.warnings[0] ?? '–') : cell(describeChoice(profile.choice));
      return `| ${profile.subject.kind} ${code(profile.subject.name)} | ${statusText(profile.status)} | ${gain} | ${what} |`;
    });
    blocks.push(
      `### ${title}`,
      note,
      ['| Subject | Status | Speed-up (interval) | Choice |', '|---|---|---|---|', ...rows].join('\n'),
    );
  };
  table('Applied by the tool', 'Measured better on this machine and put in force.', groups.applied);
  table('Measured and left alone', 'Nothing was changed.', groups.notApplied);
  table('Reference runs', 'Records of the library itself: no gain of the service.', groups.reference);
  return blocks;
}

function comparisonBlocks(comparisons: readonly StoredComparison[]): string[] {
  return (['tool', 'person'] as const).flatMap((changedBy) => {
    const rows = comparisons
      .filter((stored) => stored.changedBy === changedBy)
      .map(({ name, comparison }) => `| ${cell(name)} | ${comparison.verdict} | ${formatGain(comparison)} |`);
    if (rows.length === 0) return [];
    const { title, lead } = CHANGED_BY[changedBy];
    return [
      `### ${title}`,
      lead,
      ['| What | Verdict | Speed-up (interval) |', '|---|---|---|', ...rows].join('\n'),
    ];
  });
}

/** Plain text that Markdown and the HTML inside it cannot read as anything else. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\*_{}[\]()#+!|~]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/`/g, '&#96;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@/g, '@\u200b')
    .replace(/(https?):\/\//gi, '$1\\://');
}

function cell(text: string): string {
  return escapeMarkdown(text);
}

/** Inline code with a fence longer than any run of backticks inside; safe inside a table. */
function code(text: string): string {
  const flat = text.replace(/\s+/g, ' ').replace(/\|/g, '\\|');
  const longest = Math.max(0, ...(flat.match(/`+/g) ?? []).map((run) => run.length));
  const ticks = '`'.repeat(longest + 1);
  const pad = flat.startsWith('`') || flat.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${flat}${pad}${ticks}`;
}

function fence(text: string, language = 'js'): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}${language}\n${text.replace(/\n$/, '')}\n${ticks}`;
}

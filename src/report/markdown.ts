import type { StoredComparison } from '../model/comparison.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import { CHANGED_BY } from './comparisons.js';
import { formatDurationMs, formatNumber, formatShare } from '../units.js';
import { commandFor, recommendationsFor, statusText } from './findings.js';
import { frameOrigin } from './flame-graph.js';
import { commonDirectory, formatGain, formatPlace, formatValue, profileName } from './format.js';
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
  const blocks = [
    `## ${profileName(result.type)} of ${code(result.target.description)}`,
    escapeMarkdown(result.analysis.summary),
  ];
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
    return `| ${finding.severity} | ${cell(finding.title)} | ${place} | ${formatShare(finding.confidence)} |`;
  });
  if (rows.length > 0) {
    blocks.push(['| Severity | Finding | Place | Confidence |', '|---|---|---|---:|', ...rows].join('\n'));
  }
  for (const finding of result.analysis.findings) {
    const recommendations = recommendationsFor(finding, result.recommendations);
    if (finding.evidence.length === 0 && recommendations.length === 0) continue;
    const lines = [`<details><summary>${escapeMarkdown(finding.title)}</summary>`, ''];
    for (const evidence of finding.evidence) {
      lines.push(`- ${escapeMarkdown(evidence.statement)} (${formatValue(evidence.value, evidence.unit)})`);
    }
    for (const recommendation of recommendations) {
      lines.push('', `**What to do:** ${escapeMarkdown(recommendation.title)}`, '');
      const { action } = recommendation;
      if (action.kind === 'code-change') {
        if (!recommendation.title.endsWith(action.summary)) lines.push(escapeMarkdown(action.summary), '');
        lines.push(fence(action.before), '', 'Write instead:', '', fence(action.after));
      } else lines.push(fence(commandFor(action, recommendation.id), 'sh'));
    }
    lines.push('', '</details>');
    blocks.push(lines.join('\n'));
  }
  const missing = Object.values(result.metrics).filter((metric) => !metric.available).length;
  if (missing > 0)
    blocks.push(`${missing} metrics are not available on this machine; \`sysopt doctor\` says why.`);
  return blocks;
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

import type { Comparison } from '../model/comparison.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { OptimizationStatus } from '../model/types.js';
import { statusText } from '../report/findings.js';
import { formatCount, formatGain } from '../report/format.js';
import { describeChoice } from '../report/optimizations.js';
import { alignColumns, visible, wrap, type Style, type Terminal } from './terminal.js';

const STATUS_STYLE: Readonly<Record<OptimizationStatus, Style>> = {
  applied: 'green',
  no_improvement: 'dim',
  inconclusive: 'yellow',
  failed: 'red',
};

/** Optimisations for people: one line each, with the measured speed-up and its interval. */
export function printProfiles(terminal: Terminal, profiles: readonly OptimizationProfile[]): void {
  if (profiles.length === 0) return;
  const rows = profiles.map((profile) => [
    visible(`${profile.subject.kind} ${profile.subject.name}`),
    statusText(profile.status),
    profile.validation === null ? '–' : formatGain(profile.validation),
    visible(outcomeOf(profile)),
  ]);
  const [header, ...lines] = alignColumns([['Subject', 'Status', 'Speed-up (interval)', ''], ...rows]);
  terminal.print();
  terminal.print(terminal.style('dim', header ?? ''));
  lines.forEach((line, index) => {
    const profile = profiles[index];
    if (profile === undefined) return;
    const status = statusText(profile.status);
    terminal.print(line.replace(status, terminal.style(STATUS_STYLE[profile.status], status)));
    for (const warning of profile.warnings) {
      terminal.print(terminal.style('dim', `  ${wrap(warning, terminal.columns, '  ')}`));
    }
  });
  if (profiles.some((profile) => profile.subject.kind === 'reference')) {
    terminal.print();
    terminal.print(
      wrap(
        'A reference run measures the library’s own records. It sets defaults for this host; it is no gain of your service. Register your own with --subjects.',
        terminal.columns,
      ),
    );
  }
}

/** One comparison for people. */
export function printComparison(terminal: Terminal, comparison: Comparison): void {
  const style: Style =
    comparison.verdict === 'faster' ? 'green' : comparison.verdict === 'slower' ? 'red' : 'yellow';
  terminal.print();
  terminal.print(
    `${visible(comparison.candidate)} against ${visible(comparison.baseline)}: ${terminal.style(style, comparison.verdict)}`,
  );
  terminal.print(
    `  speed-up ${formatGain(comparison)} in ${visible(comparison.measure)}, ${formatCount(comparison.pairs, 'pair')}`,
  );
  for (const warning of comparison.warnings) {
    terminal.print(terminal.style('dim', `  ${wrap(warning, terminal.columns, '  ')}`));
  }
}

function outcomeOf(profile: OptimizationProfile): string {
  if (profile.choice !== null) return describeChoice(profile.choice);
  if (profile.validation === null) return '';
  return `${profile.validation.candidate} against ${profile.validation.baseline}`;
}

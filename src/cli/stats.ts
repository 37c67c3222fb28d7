import type { OptimizationType } from '../model/types.js';
import { statusText } from '../report/findings.js';
import { formatCount, formatInstant } from '../report/format.js';
import { statsSentence } from '../report/input.js';
import { formatSpeedup } from '../units.js';
import { fromHere } from './print-findings.js';
import type { Session, VerbOutcome } from './session.js';
import { readStorage } from './store.js';
import { alignColumns, visible } from './terminal.js';

export interface StatsVerbOptions {
  readonly storage: string;
  readonly type?: OptimizationType;
}

const LISTED = 20;

/** `sysopt stats`: what is stored, and what the applied part of it gained. */
export async function statsVerb(options: StatsVerbOptions, { terminal }: Session): Promise<VerbOutcome> {
  const store = readStorage(options.storage, terminal);
  const stats = store.stats(options.type === undefined ? {} : { type: options.type });
  const filter = options.type === undefined ? {} : { type: options.type };
  const profiles = store.list({ kind: 'profile', ...filter });
  const results = store.list({ kind: 'result' });
  const recommendations = store.list({ kind: 'recommendation' });
  const config = store.config();
  await store.close();

  terminal.print(visible(statsSentence(stats)));
  const counts = (values: Readonly<Record<string, number>>) =>
    Object.entries(values)
      .map(([name, count]) => `${count} ${statusText(name)}`)
      .join(', ');
  terminal.print(`  by type:   ${counts(stats.byType)}`);
  terminal.print(`  by status: ${counts(stats.byStatus)}`);
  if (profiles.length > 0) {
    terminal.print();
    const rows = profiles
      .slice(0, LISTED)
      .map((entry) => [
        formatInstant(entry.createdAt),
        entry.subject === undefined ? '' : `${entry.subject.kind} ${entry.subject.name}`,
        statusText(entry.status ?? ''),
        entry.ratio === undefined ? '–' : formatSpeedup(entry.ratio),
        entry.id,
      ]);
    const lines = alignColumns([['Measured', 'Subject', 'Status', 'Speed-up', 'Id'], ...rows]).map(visible);
    terminal.print(terminal.style('dim', lines[0] ?? ''));
    for (const line of lines.slice(1)) terminal.print(line);
    if (profiles.length > LISTED) terminal.print(`and ${profiles.length - LISTED} more`);
  }
  if (results.length > 0) {
    terminal.print();
    terminal.print(`${formatCount(results.length, 'profiling result')}, the newest first:`);
    for (const entry of results.slice(0, LISTED)) {
      terminal.print(`  ${formatInstant(entry.createdAt)}  ${entry.type ?? ''}  ${entry.id}`);
    }
  }
  if (recommendations.length > 0) {
    terminal.print();
    terminal.print(`${formatCount(recommendations.length, 'recommendation')}, the newest first:`);
    for (const entry of recommendations.slice(0, LISTED)) {
      terminal.print(visible(`  ${entry.severity ?? ''}  ${fromHere(entry.title ?? '')}  ${entry.id}`));
    }
  }
  if (config !== null) {
    terminal.print();
    const inForce = Object.keys(config.subjects);
    terminal.print(`In force for ${inForce.length === 0 ? 'no subject' : visible(inForce.join(', '))}.`);
    if (config.runtimeFlags.length > 0)
      terminal.print(`Node flags: ${visible(config.runtimeFlags.join(' '))}`);
    const variables = Object.entries(config.environment ?? {}).map(([name, value]) => `${name}=${value}`);
    if (variables.length > 0) terminal.print(`Environment: ${visible(variables.join(' '))}`);
  }
  return { result: { stats, profiles, results, recommendations, config } };
}

/** How `sysopt stats` is called: its arguments, options and help. What it does is ../stats.ts, loaded when it is called. */
import { type Command, Option } from 'commander';
import { OptimizationType } from '../../model/types.js';
import type { StatsVerbOptions } from '../stats.js';
import { runVerb } from '../session.js';
import { jsonOption, storageOption, type Flags } from './shared-options.js';

export function addStatsCommand(program: Command): void {
  program
    .command('stats')
    .summary('what is stored, and what was gained')
    .description('Totals by type and status, the gains of what was applied, and what is in force.')
    .addOption(
      new Option('-t, --type <type>', 'only optimisations of this type').choices(
        Object.values(OptimizationType),
      ),
    )
    .addOption(storageOption())
    .addOption(jsonOption())
    .action((options: Flags) =>
      runVerb(options.json === true, async (session) => {
        const { statsVerb } = await import('../stats.js');
        return statsVerb(options as unknown as StatsVerbOptions, session);
      }),
    );
}

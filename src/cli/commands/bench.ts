/** How `sysopt bench` is called: its arguments, options and help. What it does is ../bench.ts, loaded when it is called. */
import { type Command, Option } from 'commander';
import { durationMs } from '../arguments.js';
import type { BenchVerbOptions } from '../bench.js';
import { runVerb } from '../session.js';
import { jsonOption, type Flags } from './shared-options.js';

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .summary('compare variants of a task')
    .description(
      'Runs benchmark files: each exports { name, setup, variants }. Variants are compared with the first one, or with the one named by baseline, in fresh processes, until there is a verdict.',
    )
    .argument('[files...]', 'modules whose default export is a case, or an array of them')
    .addOption(new Option('--filter <text>', 'only cases whose name holds this text'))
    .addOption(
      new Option('-b, --budget <time>', 'time for each comparison (default: 60s)').argParser(
        durationMs(10, 86_400_000),
      ),
    )
    .addOption(new Option('--save <file>', 'write the run as JSON, for a later --against'))
    .addOption(new Option('--against <file>', 'an earlier run to compare with'))
    .addOption(
      new Option(
        '--series <file>',
        'append the ratios, one JSON object a line, and say where the level of a series changed',
      ),
    )
    .addOption(
      new Option(
        '--fail-on-slower',
        'exit with 1 where a variant became slower than in the earlier run, or than the series was',
      ).default(false),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ sysopt bench bench/cases/*.js
  $ sysopt bench --save before.json sum.bench.js
  $ sysopt bench --against before.json --fail-on-slower sum.bench.js
  $ sysopt bench --series ratios.ndjson --fail-on-slower sum.bench.js    (hourly)`,
    )
    .action((files: string[], options: Flags) =>
      runVerb(options.json === true, async (session) => {
        const { benchVerb } = await import('../bench.js');
        return benchVerb(
          files,
          { ...options, budgetMs: options.budget } as unknown as BenchVerbOptions,
          session,
        );
      }),
    );
}

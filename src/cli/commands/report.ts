/** How `sysopt report` is called: its arguments, options and help. What it does is ../report.ts, loaded when it is called. */
import { type Command, Option } from 'commander';
import type { ReportVerbOptions } from '../report.js';
import { runVerb } from '../session.js';
import { jsonOption, storageOption, type Flags } from './shared-options.js';

export function addReportCommand(program: Command): void {
  program
    .command('report')
    .summary('write one HTML file with findings, flame graph and optimisations')
    .description(
      'Writes one self-contained file: findings first, flame graph, time line, optimisations with their intervals, metrics. It shows the newest result of each type, or the one given.',
    )
    .addOption(new Option('-r, --result <id>', 'the profiling result to show'))
    .addOption(
      new Option(
        '--against <id>',
        'an older result of the same type: draws what grew and shrank since in a flame graph',
      ),
    )
    .addOption(
      new Option(
        '-o, --out <file>',
        'where to write, - for standard output (default: report.html in the store, or a file named after the result)',
      ),
    )
    .addOption(
      new Option(
        '-f, --format <format>',
        'markdown suits the job summary of a CI run; the last three hold the stacks of one result for other tools',
      )
        .choices(['html', 'markdown', 'cpuprofile', 'pprof', 'collapsed'])
        .default('html'),
    )
    .addOption(storageOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ sysopt report
  $ sysopt report --against cpu-0193… --out before-and-after.html
  $ sysopt report --format markdown --out - >> "$GITHUB_STEP_SUMMARY"
  $ sysopt report --format pprof --out app.pb.gz && go tool pprof -http : app.pb.gz`,
    )
    .action((options: Flags) =>
      runVerb(options.json === true, async (session) => {
        const { reportVerb } = await import('../report.js');
        return reportVerb(options as unknown as ReportVerbOptions, session);
      }),
    );
}

/** How `sysopt test-cause` is called: its arguments, options and help. What it does is ../test-cause.ts, loaded when it is called. */
import { type Command, Option } from 'commander';
import { EXPERIMENT_CAUSES } from '../../model/experiment.js';
import { durationMs, exportName, integer, jsonList } from '../arguments.js';
import type { TestCauseVerbOptions } from '../test-cause.js';
import { runVerb } from '../session.js';
import { jsonOption, storageOption, type Flags } from './shared-options.js';

export function addTestCauseCommand(program: Command): void {
  program
    .command('test-cause')
    .summary('decide by an experiment on a cause that no profile can see')
    .description(
      'Measures the same work with and without a cause, in fresh processes, until there is a verdict. A module of yours does the work both ways: its function is told which way by its last argument, and gives the same result. --template prints one to fill in.',
    )
    .argument('[cause]', `${EXPERIMENT_CAUSES.join(', ')}; may be left out with --recommendation`)
    .addOption(new Option('-m, --module <file>', 'module that does the work both ways'))
    .addOption(
      new Option(
        '-e, --export <name>',
        'its function (default: experiment, or the name that the recommendation gives it)',
      ).argParser(exportName),
    )
    .addOption(
      new Option(
        '--factory',
        'the function is called once a process and returns the function to time, so that data can be made ready',
      ).default(false),
    )
    .addOption(
      new Option('--args <json>', 'a list of arguments for the function, before the way').argParser(jsonList),
    )
    .addOption(
      new Option(
        '-r, --recommendation <id>',
        'run the experiment that it proposes, and store the outcome with it',
      ),
    )
    .addOption(new Option('--template', 'print a module to begin with, and measure nothing').default(false))
    .addOption(
      new Option('-b, --budget <time>', 'time for the measurement (default: 60s)').argParser(
        durationMs(10, 86_400_000),
      ),
    )
    .addOption(
      new Option('--max-processes <n>', 'fresh processes at most (default: 30)').argParser(integer(4, 1_000)),
    )
    .addOption(new Option('--fail-on-found', 'exit with 1 where the cause is found').default(false))
    .addOption(storageOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
The way, by cause:
  false-sharing            { strideBytes: 8 } or { strideBytes: 128 }: how far apart threads write
  cache-unfriendly-access  { order: 'as-is' } or { order: 'sequential' }
  lock-contention          { lock: 'as-is' } or { lock: 'other' }

Examples:
  $ sysopt test-cause cache-unfriendly-access --template > experiment.mjs
  $ sysopt test-cause cache-unfriendly-access --module experiment.mjs --factory
  $ sysopt test-cause --recommendation recommendation-0193… --module experiment.mjs --factory`,
    )
    .action((cause: string | undefined, options: Flags) =>
      runVerb(options.json === true, async (session) => {
        const { testCauseVerb } = await import('../test-cause.js');
        return testCauseVerb(
          cause,
          { ...options, budgetMs: options.budget } as unknown as TestCauseVerbOptions,
          session,
        );
      }),
    );
}

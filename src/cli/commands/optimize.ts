/** How `sysopt optimize` is called: its arguments, options and help. What it does is ../optimize.ts, loaded when it is called. */
import { type Command, Option } from 'commander';
import { OptimizationType } from '../../model/types.js';
import { durationMs, environmentVariable, httpUrl, nodeFlag } from '../arguments.js';
import type { OptimizeVerbOptions } from '../optimize.js';
import { runVerb } from '../session.js';
import {
  connectionsOption,
  jsonOption,
  loadOption,
  readyTimeoutOption,
  storageOption,
  type Flags,
} from './shared-options.js';

export function addOptimizeCommand(program: Command): void {
  program
    .command('optimize')
    .alias('optimise')
    .summary('run the optimisers, measure, and put in force what wins')
    .description(
      'Plans and measures memory layouts, variants of computations and thread jobs on your subjects, and puts in force what wins on this machine. What does not win is reported as such and changes nothing. Without subjects, the library’s reference records are measured: that sets defaults for this host and is no gain of your service.',
    )
    .argument('[command...]', 'with --try-flag, --try-env: the service, after --')
    .addOption(
      new Option(
        '-s, --subjects <file>',
        'module that exports subjects, or a default function that registers them',
      ),
    )
    .addOption(new Option('-t, --type <type>', 'only this type').choices(Object.values(OptimizationType)))
    .addOption(
      new Option(
        '-b, --budget <time>',
        'time for all optimisations together (default: 60s for each subject)',
      ).argParser(durationMs(10, 86_400_000)),
    )
    .addOption(
      new Option(
        '-r, --recommendation <id>',
        'carry this recommendation out (or put this profile in force again)',
      ),
    )
    .addOption(
      new Option('--try-flag <flag>', 'compare the service with and without a Node flag').argParser(nodeFlag),
    )
    .addOption(
      new Option('--try-env <name=value>', 'the same for a variable of its environment').argParser(
        environmentVariable,
      ),
    )
    .addOption(
      new Option('-u, --url <url>', 'with --try-flag, --try-env: URL to drive load at').argParser(httpUrl),
    )
    .addOption(loadOption())
    .addOption(connectionsOption())
    .addOption(readyTimeoutOption())
    .addOption(new Option('-y, --yes', 'carry a recommendation out without asking').default(false))
    .addOption(
      new Option('--require-gain', 'exit with 1 unless something was applied to a subject of yours').default(
        false,
      ),
    )
    .addOption(storageOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ sysopt optimize --subjects subjects.js --budget 2m
  $ sysopt optimize --subjects subjects.js --type computation
  $ sysopt optimize --recommendation recommendation-0193… --subjects subjects.js
  $ sysopt optimize --try-flag --max-semi-space-size=64 --url http://127.0.0.1:3000/ -- node app.js
  $ sysopt optimize --try-env UV_THREADPOOL_SIZE=8 --url http://127.0.0.1:3000/ -- node app.js`,
    )
    .action((command: string[], options: Flags) =>
      runVerb(options.json === true, async (session) => {
        const { optimizeVerb } = await import('../optimize.js');
        return optimizeVerb(
          command,
          {
            ...options,
            budgetMs: options.budget,
            readyTimeoutMs: options.readyTimeout,
          } as unknown as OptimizeVerbOptions,
          session,
        );
      }),
    );
}

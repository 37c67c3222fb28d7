/**
 * The command line as a whole: its name, its general help and its verbs. Building is apart from running (main.ts), so
 * that help and options can be tested. Each verb says how it is called in commands/; what it does is a file of its own
 * beside this one, loaded when it is called.
 */
import { Command } from 'commander';
import { libraryVersion } from '../host/version.js';
import { addBenchCommand } from './commands/bench.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addLayoutCommand } from './commands/layout.js';
import { addOptimizeCommand } from './commands/optimize.js';
import { addProfileCommand } from './commands/profile.js';
import { addReportCommand } from './commands/report.js';
import { addStatsCommand } from './commands/stats.js';
import { addTestCauseCommand } from './commands/test-cause.js';
import { addWorkerCommand } from './commands/worker.js';

const EXAMPLES_AND_EXIT_CODES = `
Examples:
  $ sysopt profile --url http://127.0.0.1:3000/ -- node app.js
  $ sysopt optimize --subjects subjects.js
  $ sysopt report

Exit codes:
  0    done
  1    a gate that was asked for did not hold (--fail-on, --require-gain, --fail-on-slower, --fail-on-found, --check)
  2    wrong call: an option, a setting, an unknown id
  3    the program or a subject cannot be started or measured
  4    the store cannot be read or written
  5    anything else
  130  interrupted (Ctrl-C, SIGTERM)`;

/** In the order in which help lists them. */
const VERBS = [
  addProfileCommand,
  addOptimizeCommand,
  addStatsCommand,
  addReportCommand,
  addDoctorCommand,
  addBenchCommand,
  addTestCauseCommand,
  addLayoutCommand,
  addWorkerCommand,
];

/** Builds the commands. Errors of the call are thrown as `CommanderError`, help and version too. */
export function buildProgram(): Command {
  const program = new Command('sysopt')
    .description('Makes Node services faster and proves it: profile, diagnose, optimise, validate, store.')
    .version(libraryVersion(), '-V, --version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [verb]', 'show help for a verb')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .addHelpText('after', EXAMPLES_AND_EXIT_CODES);
  // A verb takes over the settings above when it is added.
  for (const addVerb of VERBS) addVerb(program);
  return program;
}

#!/usr/bin/env node
/** The command line, `sysopt`. Each verb lives in its own file and is loaded when it is called. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import { libraryVersion } from '../host/version.js';
import { SEVERITIES } from '../model/finding.js';
import { MAX_PROFILE_MS } from '../model/profiling-result.js';
import { OptimizationType, ProfileType } from '../model/types.js';
import {
  definition,
  durationMs,
  environmentVariable,
  exportName,
  httpUrl,
  integer,
  jsonList,
  names,
  nodeFlag,
  severity,
} from './arguments.js';
import { EXIT, UsageError } from './exit-code.js';
import type { BenchVerbOptions } from './bench.js';
import type { DoctorVerbOptions } from './doctor.js';
import type { LayoutVerbOptions } from './layout.js';
import type { OptimizeVerbOptions } from './optimize.js';
import type { ProfileVerbOptions } from './profile.js';
import type { ReportVerbOptions } from './report.js';
import { runVerb, showFailure } from './session.js';
import type { StatsVerbOptions } from './stats.js';
import type { TestCauseVerbOptions } from './test-cause.js';
import { EXPERIMENT_CAUSES } from '../model/experiment.js';
import { OPTIMIZER_DEFAULTS } from '../settings/optimizer.js';
import { Terminal } from './terminal.js';
import type { WorkerVerbOptions } from './worker.js';

const EXIT_CODES = `
Exit codes:
  0    done
  1    a gate that was asked for did not hold (--fail-on, --require-gain, --fail-on-slower, --fail-on-found, --check)
  2    wrong call: an option, a setting, an unknown id
  3    the program or a subject cannot be started or measured
  4    the store cannot be read or written
  5    anything else
  130  interrupted (Ctrl-C, SIGTERM)`;

const storageOption = () =>
  new Option('--storage <dir>', 'folder of the store').default(OPTIMIZER_DEFAULTS.storagePath);
const jsonOption = () =>
  new Option(
    '--json',
    'print the whole result as one JSON document, the last line of standard output',
  ).default(false);
const connectionsOption = () =>
  new Option('--connections <n>', 'connections that drive the load')
    .argParser(integer(1, 10_000))
    .default(16);
const loadOption = () =>
  new Option(
    '-l, --load <file>',
    'a mix of requests for the load: JSON list of { path, method, headers, body }',
  );
const readyTimeoutOption = () =>
  new Option('--ready-timeout <time>', 'how long the program may take to answer')
    .argParser(durationMs(1))
    .default(15_000, '15s');

/** Builds the commands. Separate from running them, so that help and options can be tested. */
export function buildProgram(): Command {
  const program = new Command('sysopt')
    .description('Makes Node services faster and proves it: profile, diagnose, optimise, validate, store.')
    .version(libraryVersion(), '-V, --version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [verb]', 'show help for a verb')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .addHelpText(
      'after',
      `
Examples:
  $ sysopt profile --url http://127.0.0.1:3000/ -- node app.js
  $ sysopt optimize --subjects subjects.js
  $ sysopt report
${EXIT_CODES}`,
    );

  program
    .command('profile')
    .summary('profile a program, or a running process, and say what makes it slow')
    .description(
      'Starts a program with the profiler inside, or attaches to a running one (--pid), drives load at it where a URL is given, and says what makes it slow: cause, function, line, what to do. The program needs no change. The output of a started program appears on standard error; a running one goes on afterwards as it was.',
    )
    .argument('[command...]', 'the program and its arguments, after --')
    .addOption(
      new Option(
        '-p, --pid <pid>',
        'attach to this running Node process (Linux); of a cluster’s idle primary the busiest worker',
      ).argParser(integer(1, 2 ** 31 - 1)),
    )
    .addOption(
      new Option(
        '--no-agent',
        'with --pid: load nothing into the process; operations and waits are then not seen',
      ),
    )
    .addOption(
      new Option('-t, --type <type>', 'what to look at')
        .choices(Object.values(ProfileType))
        .default(ProfileType.CPU),
    )
    .addOption(
      new Option('-d, --duration <time>', 'how long to look: seconds, or 500ms, 2m')
        .argParser(durationMs(100, MAX_PROFILE_MS))
        .default(10_000, '10s'),
    )
    .addOption(
      new Option(
        '--retainers',
        'with --type memory: say what holds the objects that are kept; stops the program twice, for some seconds per 50 MB of heap',
      ),
    )
    .addOption(new Option('-u, --url <url>', 'URL to drive load at').argParser(httpUrl))
    .addOption(loadOption())
    .addOption(connectionsOption())
    .addOption(
      new Option(
        '--warmup <time>',
        'time before the profile begins (default: 2s with --url, else 0)',
      ).argParser(durationMs(0)),
    )
    .addOption(readyTimeoutOption())
    .addOption(
      new Option(
        '--fail-on <severity>',
        `exit with 1 on a finding this severe or worse (${SEVERITIES.join(', ')})`,
      ).argParser(severity),
    )
    .addOption(
      new Option(
        '-e, --extend <file>',
        'module of your own rules and samplers; samplers run inside a started program, with --pid rules alone are used',
      ),
    )
    .addOption(storageOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ sysopt profile -- node app.js
  $ sysopt profile --url http://127.0.0.1:3000/report --duration 20 -- node app.js --port 3000
  $ sysopt profile --url http://127.0.0.1:3000/ --load requests.json -- node app.js
  $ sysopt profile --type memory --url http://127.0.0.1:3000/ -- npm start
  $ sysopt profile --pid 4711 --duration 20
  $ sysopt profile --extend queue-depth.mjs --url http://127.0.0.1:3000/ -- node app.js
  $ sysopt profile --fail-on high --json --url http://127.0.0.1:3000/ -- node app.js | tail -1 | jq .analysis.findings`,
    )
    .action((command: string[], options: Flags) =>
      runVerb(options.json === true, async (session) => {
        const { profileVerb } = await import('./profile.js');
        return profileVerb(
          command,
          {
            ...options,
            durationMs: options.duration,
            warmupMs: options.warmup,
            readyTimeoutMs: options.readyTimeout,
          } as unknown as ProfileVerbOptions,
          session,
        );
      }),
    );

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
        const { optimizeVerb } = await import('./optimize.js');
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
        const { statsVerb } = await import('./stats.js');
        return statsVerb(options as unknown as StatsVerbOptions, session);
      }),
    );

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
        const { reportVerb } = await import('./report.js');
        return reportVerb(options as unknown as ReportVerbOptions, session);
      }),
    );

  program
    .command('doctor')
    .summary('what this machine can and cannot measure, and what would help')
    .description(
      'Looks at the addon, counters, container limits, huge pages, processors and limits; names remedies.',
    )
    .addOption(
      new Option(
        '--noise [time]',
        'also compare code with itself for this long: how small a difference can be shown here',
      )
        .argParser(durationMs(3000))
        .preset('30s'),
    )
    .addOption(new Option('--probe', 'measure memory and calls anew, though the store has them'))
    .addOption(storageOption())
    .addOption(jsonOption())
    .action((options: Flags) =>
      runVerb(options.json === true, async (session) => {
        const { doctorVerb } = await import('./doctor.js');
        return doctorVerb(
          {
            ...options,
            noiseMs: options.noise,
            probe: options.probe === true,
          } as unknown as DoctorVerbOptions,
          session,
        );
      }),
    );

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
        const { benchVerb } = await import('./bench.js');
        return benchVerb(
          files,
          { ...options, budgetMs: options.budget } as unknown as BenchVerbOptions,
          session,
        );
      }),
    );

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
        const { testCauseVerb } = await import('./test-cause.js');
        return testCauseVerb(
          cause,
          { ...options, budgetMs: options.budget } as unknown as TestCauseVerbOptions,
          session,
        );
      }),
    );

  program
    .command('layout')
    .summary('plan the records of C headers and JSON descriptions')
    .description(
      'Plans where the fields of every struct in the files go: smallest size with the fewest moves, hot fields together. Prints offsets, holes, lines, what moved and what it saves. Sizes are those of 64-bit Linux and macOS.',
    )
    .argument('<files...>', 'C headers (as written, or as cc -E prints them), or JSON that ends in .json')
    .addOption(
      new Option('-f, --format <format>', 'how to print')
        .choices(['text', 'json', 'html', 'svg'])
        .default('text'),
    )
    .addOption(new Option('-o, --out <file>', 'write a C header with the planned records'))
    .addOption(
      new Option(
        '--check',
        'exit with 1 where reordering would make a record smaller: a gate for CI',
      ).default(false),
    )
    .addOption(
      new Option('--packing <packing>', 'what to plan for')
        .choices(['minimal_padding', 'cache_line', 'declared'])
        .default('minimal_padding'),
    )
    .addOption(
      new Option('--cache-line <bytes>', 'length of a cache line').choices(['64', '128']).default('64'),
    )
    .addOption(
      new Option('--hot <fields>', 'fields that most accesses touch, as field or record.field')
        .argParser(names)
        .default([], 'none'),
    )
    .addOption(new Option('--only <records>', 'only these records').argParser(names).default([], 'all'))
    .addOption(
      new Option('-D, --define <name=value>', 'a macro for C sources; may be given several times')
        .argParser(definition)
        .default({}, 'none'),
    )
    .addOption(new Option('--all', 'also print the records that are as small as can be').default(false))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ sysopt layout include/order.h
  $ sysopt layout --check include/*.h
  $ sysopt layout --hot price,quantity --packing cache_line --out planned.h order.h
  $ sysopt layout --format html records.json > layout.html
  $ cc -E -dD order.c > order.i && sysopt layout order.i`,
    )
    .action((files: string[], options: Flags) =>
      runVerb(options.json === true || options.format === 'json', async (session) => {
        const { layoutVerb } = await import('./layout.js');
        return layoutVerb(
          files,
          { ...options, cacheLine: Number(options.cacheLine) } as unknown as LayoutVerbOptions,
          session,
        );
      }),
    );

  program
    .command('worker')
    .summary('run the jobs of a queue in local threads')
    .description(
      'Takes the jobs that a BullMQExecutor hands in and runs them in threads of this process, so that a job that computes keeps its lock. Ends on SIGTERM or Ctrl-C: takes no more jobs, finishes those that run, hands back what is not finished in time. Needs bullmq with ioredis (Redis) or pg (PostgreSQL) installed in the project.',
    )
    .requiredOption('-q, --queue <name>', 'the queue')
    .addOption(
      new Option(
        '-c, --connection <url>',
        'redis:// or postgres:// URL, or the path of a socket of Redis (default: redis://127.0.0.1:6379)',
      ).env('SYSOPT_QUEUE_CONNECTION'),
    )
    .addOption(new Option('--prefix <text>', 'of the keys in Redis (default: bull)'))
    .addOption(
      new Option(
        '--root <dir>',
        'folder below which task modules lie (default: that of the nearest package.json)',
      ),
    )
    .addOption(
      new Option('--only <modules>', 'run exports of these modules alone, as paths below the root')
        .argParser(names)
        .default([], 'all of the program’s own'),
    )
    .addOption(
      new Option(
        '--threads <n>',
        'threads that run jobs (default: the CPUs that this process may use)',
      ).argParser(integer(1, 1_024)),
    )
    .addOption(
      new Option(
        '--per-thread <n>',
        'jobs that one thread runs at once, where they wait more than they compute',
      )
        .argParser(integer(1, 100))
        .default(1),
    )
    .addOption(
      new Option('--lock <time>', 'a job whose consumer is silent for this long goes to another')
        .argParser(durationMs(1_000, 600_000))
        .default(10_000, '10s'),
    )
    .addOption(
      new Option('--max-stalls <n>', 'how often a job may lose its consumer before it becomes a dead letter')
        .argParser(integer(0, 100))
        .default(3),
    )
    .addOption(
      new Option('--drain-timeout <time>', 'how long running jobs may take to end after SIGTERM')
        .argParser(durationMs(0))
        .default(30_000, '30s'),
    )
    .addOption(
      new Option(
        '--payload-folder <dir>',
        'shared folder for large arguments and results (default: in Redis)',
      ),
    )
    .addOption(
      new Option('-v, --verbose', 'a line for every job, not only for those that fail').default(false),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ sysopt worker --queue thumbnails
  $ sysopt worker --queue thumbnails --connection redis://cache:6379 --threads 4 --only tasks/images.js
  $ SYSOPT_QUEUE_CONNECTION=postgres://app@db/jobs sysopt worker --queue reports`,
    )
    .action((options: Flags) =>
      runVerb(options.json === true, async (session) => {
        const { workerVerb } = await import('./worker.js');
        return workerVerb(
          {
            ...options,
            lockMs: options.lock,
            drainTimeoutMs: options.drainTimeout,
          } as unknown as WorkerVerbOptions,
          session,
        );
      }),
    );

  return program;
}

type Flags = Readonly<Record<string, unknown>> & { readonly json?: unknown };

/** Parses and runs. Ends the process. */
export async function main(argv: readonly string[]): Promise<never> {
  try {
    const program = buildProgram();
    if (argv.length === 0) {
      program.outputHelp();
      process.exit(EXIT.ok);
    }
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    const terminal = new Terminal({ json: wantsJson(argv) });
    if (!(error instanceof CommanderError)) process.exit(showFailure(terminal, error));
    // Help and version are no errors; their text went to standard output already.
    if (error.exitCode === 0) process.exit(EXIT.ok);
    const failure = showFailure(terminal, usageErrorOf(error, argv));
    process.exit(failure);
  }
  process.exit(EXIT.ok);
}

function usageErrorOf(error: CommanderError, argv: readonly string[]): UsageError {
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const verb =
    error.code === 'commander.unknownCommand' ? undefined : argv.find((word) => !word.startsWith('-'));
  const help = `See sysopt ${verb === undefined ? '' : `${verb} `}--help.`;
  const suggestion = rest.join(' ').replace(/^\(|\)$/g, '');
  const beforeProgram =
    error.code === 'commander.unknownOption' && !argv.includes('--')
      ? ' Options of the program to start belong after `--`.'
      : '';
  return new UsageError(message, `${suggestion === '' ? '' : `${suggestion} `}${help}${beforeProgram}`);
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** Whether this module is what Node was started with, through whatever links a package manager made. */
function isEntryPoint(): boolean {
  const entry = process.argv[1];
  return entry !== undefined && realpathSync(entry) === realpathSync(fileURLToPath(import.meta.url));
}

if (isEntryPoint()) await main(process.argv.slice(2));

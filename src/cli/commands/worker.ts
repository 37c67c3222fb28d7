/** How `sysopt worker` is called: its arguments, options and help. What it does is ../worker.ts, loaded when it is called. */
import { type Command, Option } from 'commander';
import { durationMs, integer, names } from '../arguments.js';
import type { WorkerVerbOptions } from '../worker.js';
import { runVerb } from '../session.js';
import { jsonOption, type Flags } from './shared-options.js';

export function addWorkerCommand(program: Command): void {
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
        const { workerVerb } = await import('../worker.js');
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
}

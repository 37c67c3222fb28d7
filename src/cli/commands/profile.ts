/** How `sysopt profile` is called: its arguments, options and help. What it does is ../profile.ts, loaded when it is called. */
import { type Command, Option } from 'commander';
import { SEVERITIES } from '../../model/finding.js';
import { MAX_PROFILE_MS } from '../../model/profiling-result.js';
import { ProfileType } from '../../model/types.js';
import { durationMs, httpUrl, integer, severity } from '../arguments.js';
import type { ProfileVerbOptions } from '../profile-contract.js';
import { runVerb } from '../session.js';
import {
  connectionsOption,
  jsonOption,
  loadOption,
  readyTimeoutOption,
  storageOption,
  type Flags,
} from './shared-options.js';

export function addProfileCommand(program: Command): void {
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
        const { profileVerb } = await import('../profile.js');
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
}

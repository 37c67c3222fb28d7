/** How `sysopt doctor` is called: its arguments, options and help. What it does is ../doctor.ts, loaded when it is called. */
import { type Command, Option } from 'commander';
import { durationMs } from '../arguments.js';
import type { DoctorVerbOptions } from '../doctor.js';
import { runVerb } from '../session.js';
import { jsonOption, storageOption, type Flags } from './shared-options.js';

export function addDoctorCommand(program: Command): void {
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
        const { doctorVerb } = await import('../doctor.js');
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
}

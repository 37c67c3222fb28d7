/** How `sysopt layout` is called: its arguments, options and help. What it does is ../layout.ts, loaded when it is called. */
import { type Command, Option } from 'commander';
import { definition, names } from '../arguments.js';
import type { LayoutVerbOptions } from '../layout.js';
import { runVerb } from '../session.js';
import { jsonOption, type Flags } from './shared-options.js';

export function addLayoutCommand(program: Command): void {
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
        const { layoutVerb } = await import('../layout.js');
        return layoutVerb(
          files,
          { ...options, cacheLine: Number(options.cacheLine) } as unknown as LayoutVerbOptions,
          session,
        );
      }),
    );
}

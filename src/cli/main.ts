#!/usr/bin/env node
/** Runs the command line, `sysopt`, and ends the process. What there is to call is program.ts. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { EXIT, UsageError } from './exit-code.js';
import { buildProgram } from './program.js';
import { showFailure } from './session.js';
import { Terminal } from './terminal.js';

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
  const isHelp = error.code === 'commander.help';
  const [message = '', ...rest] = (isHelp ? missingVerb(argv) : error.message)
    .replace(/^error: /, '')
    .split('\n');
  const verb =
    isHelp || error.code === 'commander.unknownCommand'
      ? undefined
      : argv.find((word) => !word.startsWith('-'));
  const help = `See sysopt ${verb === undefined ? '' : `${verb} `}--help.`;
  const suggestion = rest.join(' ').replace(/^\(|\)$/g, '');
  const beforeProgram =
    error.code === 'commander.unknownOption' && !argv.includes('--')
      ? ' Options of the program to start belong after `--`.'
      : '';
  return new UsageError(message, `${suggestion === '' ? '' : `${suggestion} `}${help}${beforeProgram}`);
}

/** What the parser answers with help alone, without a word. */
function missingVerb([first, second]: readonly string[]): string {
  return first === 'help' && second !== undefined ? `unknown command '${second}'` : 'no verb is given';
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

import { fail } from '../errors.js';
import { EXIT, exitCodeOf, reportOf, type ErrorReport, type ExitCode } from './exit-code.js';
import { Terminal } from './terminal.js';

/** What a verb works with. */
export interface Session {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C and SIGTERM. A verb lets what it started end in order, then rejects. */
  readonly signal: AbortSignal;
}

/** What a verb came to: the document for `--json`, and whether a gate failed. */
export interface VerbOutcome {
  readonly result: unknown;
  readonly exitCode?: ExitCode;
}

/**
 * Runs a verb and ends the process with its exit code, in one of three ways: the verb's result, its error, or an
 * interruption. The first Ctrl-C (or SIGTERM) aborts the verb, which stops the program that it started; a second
 * one ends at once (programs that are still running are killed on exit either way).
 */
export async function runVerb(
  json: boolean,
  verb: (session: Session) => Promise<VerbOutcome>,
): Promise<never> {
  const terminal = new Terminal({ json });
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    terminal.progress({ stage: 'stopping', message: 'Stopping; press Ctrl-C again to stop at once' });
    controller.abort(fail('ABORTED', { what: 'The command' }));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  // `sysopt … | head`: whoever reads has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    terminal.error(`Cannot write the output: ${error.message}.`, 'Write it somewhere else.');
    process.exit(EXIT.storage);
  });
  // Who does not read what is told beside the result does not end the work.
  process.stderr.on('error', () => {});

  let exitCode: ExitCode;
  try {
    const outcome = await verb({ terminal, signal: controller.signal });
    terminal.result(outcome.result);
    exitCode = outcome.exitCode ?? EXIT.ok;
  } catch (error) {
    exitCode = showFailure(terminal, error, controller.signal.aborted);
  }
  await flushed(process.stdout);
  await flushed(process.stderr);
  process.exit(exitCode);
}

const DROPPED = 'What is stored is complete; what was being measured is dropped.';

/** Shows an error on both outputs; returns the exit code that it means. */
export function showFailure(terminal: Terminal, error: unknown, interrupted = false): ExitCode {
  if (interrupted) {
    terminal.error('Interrupted.', DROPPED);
    terminal.result({
      error: { code: 'INTERRUPTED', message: 'Interrupted.', hint: DROPPED },
    });
    return EXIT.interrupted;
  }
  const report = reportOf(error);
  terminal.error(report.message, terminal.showedTarget ? withoutOutput(report) : report.hint);
  if (process.env.SYSOPT_DEBUG === '1' && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`);
    if (error.cause instanceof Error) process.stderr.write(`caused by ${error.cause.stack ?? ''}\n`);
  }
  terminal.result({ error: report });
  return exitCodeOf(error);
}

/** The hint of a program's end without its last output, which stands above already. */
function withoutOutput({ code, hint }: ErrorReport): string {
  return code === 'TARGET_EXITED'
    ? hint.replace(/ Its last output: [\s\S]*$/, ' Its last output stands above.')
    : hint;
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

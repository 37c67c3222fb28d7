import {
  AbortedError,
  ExecutorError,
  InvalidArgumentError,
  NotFoundError,
  NotSupportedError,
  OptimizerError,
  SettingsError,
  StorageError,
  SubjectError,
  SubjectNotHereError,
  TargetError,
  TaskError,
} from '../errors.js';

/** How `sysopt` ends. Documented in docs/cli.md and in `--help`. */
export const EXIT = {
  /** The verb did what was asked. */
  ok: 0,
  /** A gate that was asked for did not hold: `--fail-on`, `--require-gain`. */
  gate: 1,
  /** The call was wrong: an option, a setting, an id that does not exist. */
  usage: 2,
  /** The program or subject cannot be started, ended early, does not answer, throws or disagrees. */
  target: 3,
  /** The store cannot be read or written. */
  storage: 4,
  /** Anything else: a fault of the tool or of the machine. */
  failure: 5,
  /** Ctrl-C or SIGTERM. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error in the call that the option parser cannot see, e.g. two options that exclude each other. */
export class UsageError extends Error {
  readonly code = 'USAGE';
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** What a failure looks like to scripts: the last line of `--json` output is `{ "error": … }`. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof AbortedError) return EXIT.interrupted;
  if (error instanceof StorageError) return EXIT.storage;
  if (
    error instanceof TargetError ||
    error instanceof SubjectError ||
    error instanceof TaskError ||
    error instanceof ExecutorError
  ) {
    return EXIT.target;
  }
  if (
    error instanceof InvalidArgumentError ||
    error instanceof SettingsError ||
    error instanceof NotFoundError ||
    error instanceof NotSupportedError ||
    error instanceof SubjectNotHereError
  ) {
    return EXIT.usage;
  }
  return EXIT.failure;
}

export function reportOf(error: unknown): ErrorReport {
  if (error instanceof OptimizerError) {
    // The message holds the hint too, for those who print nothing else.
    const message = error.message.endsWith(error.hint)
      ? error.message.slice(0, error.message.length - error.hint.length).trim()
      : error.message;
    return { code: error.code, message, hint: error.hint };
  }
  if (error instanceof UsageError) return { code: error.code, message: error.message, hint: error.hint };
  if (error instanceof Error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      code: typeof code === 'string' ? code : 'INTERNAL',
      message: error.message || error.name,
      hint: 'Set SYSOPT_DEBUG=1 to see where this comes from; report it if the call was right.',
    };
  }
  return { code: 'INTERNAL', message: String(error), hint: 'Report this.' };
}

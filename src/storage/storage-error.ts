import { fail, type OptimizerError } from '../errors.js';

/** Which of the store's errors a failed file operation is. */
export function writeError(path: string, error: unknown): OptimizerError {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  const context = {
    cause: error,
    ...(code !== undefined && { errno: code }),
    ...(syscall !== undefined && { syscall }),
  };
  if (code === 'ENOTDIR' || code === 'EEXIST') return fail('STORAGE_NOT_A_DIRECTORY', { path }, context);
  return fail('STORAGE_NOT_WRITABLE', { path, reason: sentence(reasonOf(code) ?? message) }, context);
}

export function corrupt(path: string, error: unknown): OptimizerError {
  const reason = error instanceof Error ? error.message : String(error);
  return fail('DOCUMENT_CORRUPT', { path, reason: sentence(reason) }, { cause: error });
}

/** What a failed file operation's code means, in words; undefined for one that speaks for itself in its message. */
export function reasonOf(code: string | undefined): string | undefined {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no space is left';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of the path is a file';
    case 'EISDIR':
      return 'it is a directory';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open';
    default:
      return undefined;
  }
}

/** The catalogue's templates go on with the remedy after the reason. */
function sentence(reason: string): string {
  return /[.!?]$/.test(reason) ? reason : `${reason}.`;
}

/** Errors as the addon throws them for a system call that was refused: code, number and name of the call. */
import { constants } from 'node:os';

export function systemError(
  code: 'EACCES' | 'ENOMEM' | 'ENOSYS' | 'ESRCH' | 'ENOTSUP',
  syscall: string,
  what: string,
): Error {
  const errno = constants.errno[code];
  return Object.assign(new Error(`${code}: ${syscall} failed for ${what}`), { code, errno, syscall });
}

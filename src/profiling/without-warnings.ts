/**
 * Calls something of Node's that warns of its own use (experimental, deprecated): the warning would stand in the output
 * of the profiled program, which did not use it.
 */
export function withoutWarnings<T>(call: () => T): T {
  const own = Object.getOwnPropertyDescriptor(process, 'emitWarning')!;
  process.emitWarning = () => {};
  try {
    return call();
  } finally {
    Object.defineProperty(process, 'emitWarning', own);
  }
}

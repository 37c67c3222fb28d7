/** Where a piece of work was given away, for the stacks of its errors. Capturing is cheap; formatting is not. */
export interface StackHolder {
  readonly stack?: string;
}

export function captureStack(): StackHolder {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, captureStack);
  return holder;
}

const ownFolder = import.meta.url.slice(0, import.meta.url.lastIndexOf('/') + 1);

/** The caller's frames, without the first line and without this library's own. */
export function framesOf({ stack = '' }: StackHolder): string {
  return stack
    .split('\n')
    .slice(1)
    .filter((line) => !line.includes(ownFolder))
    .join('\n');
}

/**
 * Adds the frames that wait for a promise to the stack of the error that it rejects with: what V8 knows of `await`s at
 * no cost before the error. To be called from the function that the caller awaits.
 */
export function addAwaitingFrames(error: unknown, thread: string): void {
  if (!(error instanceof Error)) return;
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, addAwaitingFrames);
  const frames = framesOf(holder);
  if (frames === '') return;
  Object.defineProperty(error, 'stack', {
    value: `${error.stack ?? ''}\n    at <thread ${thread}>\n${frames}`,
    configurable: true,
    writable: true,
  });
}

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

/** The caller's frames, without the first line and without this library's own; none where they cannot be told. */
export function framesOf(holder: StackHolder): string {
  return textOf(holder)
    .split('\n')
    .slice(1)
    .filter((line) => !line.includes(ownFolder))
    .join('\n');
}

/** V8 makes it when it is first read, by the program's `Error.prepareStackTrace` where it has one: that may throw, or give no text. */
function textOf(holder: StackHolder): string {
  try {
    const stack: unknown = holder.stack;
    return typeof stack === 'string' ? stack : '';
  } catch {
    return '';
  }
}

/**
 * Rejects a promise with an error to whose stack the frames that await the promise are added: what V8 knows of `await`s,
 * at no cost before the error. V8 knows it only within a continuation of what is awaited; so the promise is made to follow
 * another one, and that is rejected from within a continuation once the promise hangs on it.
 *
 * @param resolve resolves the promise.
 */
export function rejectWithAwaitingFrames(
  resolve: (value: unknown) => void,
  error: unknown,
  thread: string,
): void {
  let begin!: () => void;
  const followed = new Promise<void>((go) => {
    begin = go;
  }).then(() => {
    addAwaitingFrames(error, thread);
    throw error;
  });
  resolve(followed);
  queueMicrotask(begin);
}

function addAwaitingFrames(error: unknown, thread: string): void {
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

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

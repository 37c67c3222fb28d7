/** Held equal to package.json by a test. Not read from there: that costs a service 0.2 ms at its start. */
const VERSION = '0.1.0';

/** Version of this package. */
export function libraryVersion(): string {
  return VERSION;
}

/**
 * V8 makes a function's table of source positions only when something asks for it. Code that was optimised
 * before a profile began was compiled without the tables of the functions inlined into it, and every sample in
 * them lands on the line of the outermost call, with no trace of the function that ran. Asking for the tables
 * from the start costs no measurable time and a few percent of the size of the bytecode.
 */
import { setFlagsFromString } from 'node:v8';

let asked = false;

/**
 * Makes V8 keep source positions of everything compiled from now on. For a process that may be profiled later:
 * call it before the code that matters is loaded. A second call does nothing.
 *
 * @example
 * keepSourcePositions();
 * await import('./service.js');
 */
export function keepSourcePositions(): void {
  if (asked) return;
  asked = true;
  setFlagsFromString('--no-enable-lazy-source-positions');
}

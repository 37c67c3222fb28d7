/** The native functions that a CPU profile found at work, as a table on the terminal. */
import type { ProfilingResult } from '../model/profiling-result.js';
import { shownNativeFunctions, nativeFamilyText } from '../report/native-table.js';
import { formatShare } from '../units.js';
import { clipped, printTable } from './print-table.js';
import type { Terminal } from './terminal.js';

/** Nothing where none has a share worth a row. */
export function printNative(terminal: Terminal, result: ProfilingResult): void {
  printTable(
    terminal,
    ['Native function', 'CPU time', 'for', 'module'],
    shownNativeFunctions(result).map(({ name, share, family, module }) => [
      clipped(name),
      formatShare(share),
      nativeFamilyText(family),
      clipped(module),
    ]),
  );
}

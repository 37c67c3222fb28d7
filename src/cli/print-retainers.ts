/** What new objects hang on, as a table on the terminal. */
import type { ProfilingResult } from '../model/profiling-result.js';
import { formatPlace } from '../report/format.js';
import { formatBytes, formatNumber, formatShare } from '../units.js';
import { clipped, printTable } from './print-table.js';
import type { Terminal } from './terminal.js';

/**
 * Nothing where the run did not look for it.
 *
 * @param shorten how a place is written, such as from the working directory.
 */
export function printRetainers(
  terminal: Terminal,
  { retainers = [] }: Pick<ProfilingResult, 'retainers'>,
  shorten: (place: string) => string,
): void {
  printTable(
    terminal,
    ['New objects are held by', 'bytes', 'of all new', 'objects', 'class', 'at'],
    retainers.map(({ path, bytes, share, objects, container, location }) => [
      clipped(path === '' ? '(no name)' : path),
      formatBytes(bytes),
      formatShare(share),
      formatNumber(objects),
      clipped(container),
      location === undefined ? '' : shorten(formatPlace(location)),
    ]),
  );
}

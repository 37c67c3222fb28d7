/** Tables of a result on the terminal: a few rows, and how many more there are. */
import { alignColumns, visible, type Terminal } from './terminal.js';

const SHOWN_ROWS = 8;
/** Of a path or an address; the report shows all of it. */
const MAX_NAME = 48;

/** Nothing for a table without rows. */
export function printTable(
  terminal: Terminal,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  if (rows.length === 0) return;
  const [first = '', ...lines] = alignColumns([
    header,
    ...rows.slice(0, SHOWN_ROWS).map((row) => row.map(oneLine)),
  ]);
  terminal.print();
  terminal.print(terminal.style('dim', first));
  for (const line of lines) terminal.print(line);
  if (rows.length > SHOWN_ROWS) {
    terminal.print(terminal.style('dim', `${rows.length - SHOWN_ROWS} more in the stored result`));
  }
}

/** The end of a long path or address. */
export function clipped(text: string): string {
  return text.length <= MAX_NAME ? text : `…${text.slice(1 - MAX_NAME)}`;
}

/** A name with a line break in it would tear the table. */
function oneLine(text: string): string {
  return visible(text.replace(/\s+/g, ' '));
}

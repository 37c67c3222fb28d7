/** What the tables of the report share: their length and their bars. */
import { formatShare } from '../units.js';
import { html, type Markup } from './markup.js';

/** Rows beyond are counted in a line below the table. */
export const SHOWN_ROWS = 20;

/** How many rows the table leaves out. */
export function more(count: number): Markup | false {
  return count > SHOWN_ROWS && html`<p class="quiet">${count - SHOWN_ROWS} more in the stored result.</p>`;
}

/** A cell with a share as a bar and in figures. */
export function shareCell(share: number): Markup {
  return html`<td class="share">
    <span><i style="width:${percent(share)}%"></i></span>${formatShare(share)}
  </td>`;
}

function percent(share: number): number {
  return Number((Math.max(0, Math.min(1, share)) * 100).toFixed(1));
}

/** What new objects hang on, of a memory run that asked for it. */
import type { Retainer } from '../model/signals.js';
import { formatBytes, formatNumber } from '../units.js';
import { formatPlace } from './format.js';
import { html, type Markup } from './markup.js';
import { shareCell } from './table-parts.js';

/** @param retainers at least one. */
export function retainerTable(retainers: readonly Retainer[], root: string): Markup {
  return html`<p class="quiet">
      Of everything that was made in the window and still kept at its end, by the object or variable, older
      than the window, through which the program reaches it by the shortest way.
    </p>
    <div class="scroll">
      <table class="costs">
        <thead>
          <tr>
            <th>Held by</th>
            <th>Class</th>
            <th>Place</th>
            <th>Objects</th>
            <th>Bytes</th>
            <th>Of all that is new</th>
          </tr>
        </thead>
        <tbody>
          ${retainers.map(
            ({ container, path, location, objects, bytes, share }) =>
              html`<tr>
                <td><code>${path === '' ? '(no name)' : path}</code></td>
                <td>${container}</td>
                <td>${location === undefined ? '–' : html`<code>${formatPlace(location, root)}</code>`}</td>
                <td class="number">${formatNumber(objects)}</td>
                <td class="number">${formatBytes(bytes)}</td>
                ${shareCell(share)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

/**
 * Layout plans as one self-contained HTML page: what can be saved, and a picture and a table for each record that
 * changes (for all where none does).
 */
import type { LayoutPlan } from '../memory/layout-planner.js';
import { formatShare } from '../units.js';
import { layoutSvg, type NamedPlan } from './layout-drawing.js';
import { html, trusted, type Markup } from './markup.js';
import { STYLE } from './style.js';

const OWN_STYLE = `td a{color:var(--accent)}.layout-record{margin:0 0 34px}.layout-record svg{max-width:100%;height:auto;display:block;border:1px solid var(--line);border-radius:12px;background:var(--card)}
.layout-record h3{margin:0 0 10px}.layout-record details{margin-top:8px}.saved{color:var(--good)}td code,td.number{white-space:nowrap}`;

/**
 * @param source what the records come from, for the title
 * @returns an HTML document without scripts or outside resources
 */
export function layoutPage(plans: readonly NamedPlan[], source: string): string {
  const shrink = plans.filter(({ plan }) => plan.savings.sizeBytes > 0);
  const saved = shrink.reduce((sum, { plan }) => sum + plan.savings.sizeBytes, 0);
  const changed = plans.filter(({ plan }) => plan.moves > 0 || plan.savings.sizeBytes !== 0);
  const drawn = new Set(changed.length === 0 ? plans : changed);
  const rows = plans.map(
    ({ name, plan }, k) =>
      html`<tr>
        <td>
          ${
            drawn.has(plans[k] as NamedPlan)
              ? html`<a href="#record-${k}"><code>${name}</code></a>`
              : html`<code>${name}</code>`
          }
        </td>
        <td class="number">${plan.declared.sizeBytes}</td>
        <td class="number">${plan.sizeBytes}</td>
        <td class="number ${plan.savings.sizeBytes > 0 && 'saved'}">${savedInWords(plan)}</td>
        <td class="number">${plan.moves}</td>
        <td>${plan.moved.join(', ')}</td>
      </tr>`,
  );
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <title>Layout of ${source}</title>
        <style>
          ${trusted(STYLE + OWN_STYLE)}
        </style>
      </head>
      <body>
        <header class="masthead">
          <div class="wrap">
            <h1>Layout of ${source}</h1>
            <p class="lead">
              ${
                shrink.length === 0
                  ? 'No record can be smaller than it is.'
                  : `${shrink.length} of ${plans.length} records can be smaller, by ${saved} B for one of each.`
              }
            </p>
          </div>
        </header>
        <main class="wrap">
          <section>
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th>record</th>
                    <th class="number">declared, B</th>
                    <th class="number">planned, B</th>
                    <th class="number">saved</th>
                    <th class="number">moves</th>
                    <th>fields to move</th>
                  </tr>
                </thead>
                <tbody>
                  ${rows}
                </tbody>
              </table>
            </div>
          </section>
          <section>${plans.map((each, k) => drawn.has(each) && record(each, k))}</section>
        </main>
      </body>
    </html> `.text;
}

function record({ name, plan }: NamedPlan, k: number): Markup {
  const moved = new Set(plan.moved);
  const hot = new Set(plan.hot);
  const before = new Map(plan.declared.fields.map((field) => [field.name, field.offsetBytes]));
  const rows = plan.fields.map((field) => {
    const notes = [moved.has(field.name) && 'moved', hot.has(field.name) && 'hot'].filter(Boolean).join(', ');
    return html`<tr>
      <td><code>${field.name}</code></td>
      <td class="number">${field.offsetBytes}</td>
      <td class="number">${before.get(field.name)}</td>
      <td class="number">${field.sizeBytes}</td>
      <td class="number">${field.alignBytes}</td>
      <td class="number">${field.cacheLine}</td>
      <td>${notes}</td>
    </tr>`;
  });
  return html`<article class="layout-record" id="record-${k}">
    ${trusted(layoutSvg([{ name, plan }]))}
    <details>
      <summary>Offsets of <code>${name}</code></summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>field</th>
              <th class="number">offset, B</th>
              <th class="number">declared, B</th>
              <th class="number">size, B</th>
              <th class="number">align, B</th>
              <th class="number">line</th>
              <th></th>
            </tr>
          </thead>
          <tbody>
            ${rows}
          </tbody>
        </table>
      </div>
    </details>
  </article>`;
}

function savedInWords({ savings }: LayoutPlan): string {
  if (savings.sizeBytes === 0) return '–';
  return savings.sizeBytes > 0
    ? `${savings.sizeBytes} B (${formatShare(savings.share)})`
    : `${-savings.sizeBytes} B more`;
}

import type { StoredComparison } from '../model/comparison.js';
import { forestPlot } from './forest-plot.js';
import { html, type Markup } from './markup.js';

/** Comparisons that stand on their own, by whose change they measure: a person's is no gain of the tool. */
export const CHANGED_BY: Readonly<
  Record<StoredComparison['changedBy'], { readonly title: string; readonly lead: string }>
> = {
  tool: {
    title: 'Changed by the tool’s choices alone',
    lead: 'The same code on both sides; what differs is what the optimizer put in force.',
  },
  person: {
    title: 'Changed by a person',
    lead: 'What a change of the code made of it. No gain of the tool.',
  },
};

export function comparisonsSection(comparisons: readonly StoredComparison[]): Markup {
  return html`${(['tool', 'person'] as const).map((changedBy) => {
    const members = comparisons.filter((stored) => stored.changedBy === changedBy);
    if (members.length === 0) return null;
    const rows = members.map(({ name, comparison }) => ({
      label: name,
      detail: `${comparison.candidate} against ${comparison.baseline}, ${comparison.measure} per request or call`,
      comparison,
    }));
    return html`<div class="optimization-group">
      <h3>${CHANGED_BY[changedBy].title}</h3>
      <p class="quiet">${CHANGED_BY[changedBy].lead}</p>
      ${forestPlot(rows)}
    </div>`;
  })}`;
}

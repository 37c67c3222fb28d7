import { describe, expect, it } from 'vitest';
import { answerFindings, wordsOf } from '../../../dist/report/actions.js';
import { renderHtml } from '../../../dist/report/html.js';
import { renderMarkdown } from '../../../dist/report/markdown.js';
import { result } from './sample.js';

const [finding] = result.analysis.findings;
const [recommendation] = result.recommendations;
const summary = 'Do less in one turn of the loop.';
const action = {
  kind: 'code-change',
  summary,
  before: 'slow()',
  after: 'fast()',
  guide: 'docs/g.md#a',
} as const;
const at = (line: number) => ({ ...finding!.location!, line });

/** Five functions with one fault, each with its own recommendation of the same change. */
const repeated = {
  ...result,
  analysis: {
    ...result.analysis,
    findings: [1, 2, 3, 4, 5].map((line) => ({ ...finding!, title: `finding ${line}`, location: at(line) })),
  },
  recommendations: [1, 2, 3, 4, 5].map((line) => ({
    ...recommendation!,
    id: `recommendation-${line}`,
    location: at(line),
    title: `findCustomer (/srv/orders-service/lib/customers.js:${line}): ${summary}`,
    action,
  })),
};

describe('what to do, once for each cause', () => {
  it('refers the later findings to the first', () => {
    const { findings, others } = answerFindings(repeated);
    expect(findings.map(({ answers }) => answers.map(({ sameAs }) => sameAs))).toEqual([
      [undefined],
      [1],
      [1],
      [1],
      [1],
    ]);
    expect(others).toEqual([]);
  });

  it('keeps two changes apart that share a cause', () => {
    const other = { ...action, summary: 'Keep the result.' };
    const recommendations = repeated.recommendations.map((each, index) =>
      index === 1 ? { ...each, action: other } : each,
    );
    const { findings } = answerFindings({ ...repeated, recommendations });
    expect(findings.map(({ answers }) => answers[0]!.sameAs)).toEqual([undefined, undefined, 1, 1, 1]);
  });

  it('gives a recommendation that names no place once, and those that answer nothing at the end', () => {
    const anywhere = { ...recommendation!, action };
    delete (anywhere as { location?: unknown }).location;
    const stray = { ...repeated.recommendations[1]!, cause: 'heap-leak' as const };
    const { findings, others } = answerFindings({ ...repeated, recommendations: [anywhere, stray] });
    expect(findings.map(({ answers }) => answers.length)).toEqual([1, 0, 0, 0, 0]);
    expect(others).toEqual([stray]);
  });

  it('says a sentence that ends the title once', () => {
    expect(wordsOf(repeated.recommendations[0]!, true)).toEqual([summary]);
    expect(wordsOf(repeated.recommendations[0]!, false)).toEqual([repeated.recommendations[0]!.title]);
    expect(wordsOf(recommendation!, true)).toHaveLength(2);
  });

  it('shows the pattern once in Markdown, and collapsed after the first in HTML', () => {
    const text = renderMarkdown({ results: [repeated], profiles: [] });
    expect(text.split('slow()')).toHaveLength(2);
    expect(text.split('as for “finding 1”')).toHaveLength(5);
    const page = renderHtml({ results: [repeated], profiles: [] });
    expect(page.match(/<summary>What to do: as for 1<\/summary>/g)).toHaveLength(4);
  });

  it('names the guide where an installed package has it', () => {
    for (const render of [renderMarkdown, renderHtml]) {
      expect(render({ results: [repeated], profiles: [] })).toContain(
        'node_modules/system-optimizer/docs/g.md#a',
      );
    }
  });
});

import { describe, expect, it } from 'vitest';
import type { Recommendation } from '../../../dist/index.js';
import { renderHtml } from '../../../dist/report/html.js';
import { renderMarkdown } from '../../../dist/report/markdown.js';
import { environment, profiles, result, stats } from './sample.js';

const input = { results: [result], profiles, stats, environment };
const page = renderHtml(input);

function section(id: string): string {
  const start = page.indexOf(`<section id="${id}"`);
  expect(start).toBeGreaterThan(0);
  return page.slice(start, page.indexOf('</section>', start));
}

describe('the HTML report', () => {
  it('is one file that loads nothing', () => {
    expect(page).not.toMatch(/<link\b|<script[^>]+src=|@import|url\(/);
    expect(page).not.toMatch(/(?:src|href)="(?!#)/);
  });

  it('gives equal pages for equal input', () => {
    expect(renderHtml(input)).toBe(page);
  });

  it('carries uPlot only where a time line is drawn', () => {
    expect(page).toContain('var uPlot=');
    const still = renderHtml({ ...input, results: [{ ...result, timeline: [] }] });
    expect(still).not.toContain('var uPlot=');
    expect(still.length).toBeLessThan(page.length - 50_000);
  });

  it('puts the findings first, the greatest as the headline', () => {
    const order = [...page.matchAll(/<section id="([^"]+)"/g)].map((match) => match[1]);
    expect(order[0]).toBe('findings');
    expect(/<h1>([\s\S]*?)<\/h1>/.exec(page)?.[1]).toContain('findCustomer searches a list linearly');
  });

  it('shows cause, place, evidence with threshold, and the change for a finding', () => {
    const findings = section('findings');
    expect(findings).toContain('sync-cpu');
    expect(findings).toContain('lib/customers.js:19');
    expect(findings).toContain('findCustomer itself ran for 27 % of sampled CPU time.');
    expect(findings).toContain('against 10 %');
    expect(findings).toContain('customers.find((c) =&gt; c.id === id)');
    expect(findings).toContain('return byId.get(id)');
  });

  it('gives the command for what the tool can carry out', () => {
    expect(section('findings')).toMatch(/sysopt optimize --recommendation \S+ --url URL -- node app\.js/);
  });

  it('shows a proposed experiment as something to measure, with its module and what it came to', () => {
    const template = 'export function total({ order }) { return order < 3; }';
    const proposed: Recommendation = {
      ...result.recommendations[1]!,
      id: 'recommendation-01890f3e-0003',
      cause: 'cache-unfriendly-access',
      severity: 'info',
      confidence: 0,
      title: 'Measure whether the order of its accesses costs total (/srv/a.js:4) time',
      action: {
        kind: 'experiment',
        cause: 'cache-unfriendly-access',
        rationale: 'It is no diagnosis.',
        export: 'total',
        template,
      },
      outcome: {
        status: 'cause_found',
        comparisonId: 'comparison-1',
        appliedAt: '2026-03-02T09:14:15.000Z',
        ratio: 0.25,
      },
    };
    const withIt = { ...result, recommendations: [...result.recommendations, proposed] };
    const text = renderHtml({ ...input, results: [withIt] });
    expect(text).toContain('<span>Worth measuring</span>Measure whether the order');
    expect(text).toContain('It is no diagnosis.');
    expect(text).toContain('sysopt test-cause --recommendation recommendation-01890f3e-0003 --template');
    expect(text).toContain('order &lt; 3');
    expect(text).toMatch(/cause found, 4×? as fast without the cause\s+<code>comparison-1<\/code>/);
    const markdown = renderMarkdown({ ...input, results: [withIt] });
    expect(markdown).toContain('**Worth measuring:** Measure whether');
    expect(markdown).toContain('--module experiment.mjs --export total --factory');
  });

  it('explains every metric that could not be measured', () => {
    const metrics = section('metrics');
    expect(metrics).toContain('This virtual machine exposes no performance monitoring unit.');
    expect(metrics).toContain('Boot with psi=1.');
    const shown = page.replace(/<script>[\s\S]*?<\/script>/g, '');
    expect(shown).not.toMatch(/\bNaN\b|\bundefined\b|\bInfinity\b/);
  });

  it('tells what the tool applied from what it left alone and from reference runs', () => {
    const text = section('optimisations');
    const [applied, left, reference] = [
      'Applied by the tool',
      'Measured and left alone',
      'Reference runs',
    ].map((title) => text.indexOf(title)) as [number, number, number];
    expect(applied).toBeGreaterThan(0);
    expect(text.indexOf('struct Order')).toBeGreaterThan(applied);
    expect(text.indexOf('struct Order')).toBeLessThan(left);
    expect(text.indexOf('job revenueByDay')).toBeGreaterThan(left);
    expect(text.indexOf('memory reference')).toBeGreaterThan(reference);
    expect(text.indexOf('memory reference')).toBeGreaterThan(left);
  });

  it('shows gains as speed-ups and turns intervals round', () => {
    expect(section('optimisations')).toContain('1.43× (1.39 to 1.47)');
  });

  it('says so when there is nothing to show', () => {
    const empty = renderHtml({ results: [], profiles: [] });
    expect(empty).toContain('The store holds nothing yet');
    expect(empty).not.toContain('undefined');
  });

  it('gives every run its own section when there are several', () => {
    const both = renderHtml({ ...input, results: [result, { ...result, id: 'memory-2', type: 'memory' }] });
    const ids = [...both.matchAll(/<section id="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('findings-2');
  });
});

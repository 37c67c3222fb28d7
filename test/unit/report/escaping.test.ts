import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../../dist/report/html.js';
import { renderMarkdown } from '../../../dist/report/markdown.js';
import { embeddedJson, html } from '../../../dist/report/markup.js';
import { comparison, environment, profile, profiles, result, stats } from './sample.js';

const HOSTILE = '</script><script>alert(1)</script><img src=x onerror=alert(2)>"\'` & \u2028';

/** The value with every string in it replaced, except the few that select a branch. */
function poison<T>(value: T, key = ''): T {
  const kept = [
    'type',
    'kind',
    'status',
    'severity',
    'verdict',
    'form',
    'origin',
    'packing',
    'order',
    'unit',
    'affinity',
    'schedule',
  ];
  if (typeof value === 'string') return (kept.includes(key) ? value : HOSTILE) as T;
  if (Array.isArray(value)) return value.map((item) => poison(item as unknown)) as T;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, poison(item as unknown, name)]),
    ) as T;
  }
  return value;
}

const hostileInput = {
  results: [poison(result)],
  profiles: profiles.map((each) => poison(each)),
  stats: { ...stats, byType: { [HOSTILE]: 1 }, byStatus: { [HOSTILE]: 2 } },
  environment: poison(environment),
  createdAt: HOSTILE,
};

describe('a report on a program with hostile names', () => {
  const page = renderHtml(hostileInput);

  it('holds no script but uPlot, its own, and data', () => {
    const scripts = [...page.matchAll(/<script\b[^>]*>/g)].map((match) => match[0]);
    expect(scripts.filter((tag) => tag === '<script>')).toHaveLength(2);
    expect(
      scripts.every((tag) => tag === '<script>' || tag.startsWith('<script type="application/json"')),
    ).toBe(true);
    expect(page.match(/<\/script>/g)).toHaveLength(scripts.length);
    expect(page).not.toContain('<img');
    // Quoted values may hold anything; an attribute of its own it must not become.
    expect(page.replace(/"[^"]*"/g, '""')).not.toMatch(/<[a-z][^>]*\sonerror=/);
  });

  it('shows the names as text', () => {
    expect(page).toContain('&lt;/script&gt;&lt;script&gt;alert(1)');
  });

  it('lets only uPlot and its own script run: the policy names them by hash', () => {
    const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => text!);
    expect(scripts[0]).toContain('uPlot');
    expect(scripts[1]).toContain("'use strict'");
    const hashes = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    expect(page).toContain(`script-src ${hashes.join(' ')};`);
    expect(page).toContain("default-src 'none'");
  });

  it('keeps the flame graph’s data readable', () => {
    const json = /<script type="application\/json"[^>]*>([\s\S]*?)<\/script>/.exec(page)?.[1] ?? '';
    const rows = JSON.parse(json) as unknown[][];
    expect(rows.length).toBeGreaterThan(5);
    expect(rows[1]?.[5]).toContain('</script>');
  });

  it('stays text in Markdown too', () => {
    const text = renderMarkdown(hostileInput);
    const outsideCode = text.replace(/(`{3,})[\s\S]*?\1/g, '').replace(/(`+)[^`][\s\S]*?\1/g, '');
    expect(outsideCode).not.toMatch(/<(?!\/?(details|summary)>)/);
    expect(text).not.toContain('<img src=x onerror=alert(2)>"\' |');
  });
});

describe('markup', () => {
  it('escapes text and attributes, passes markup, drops nothing-values', () => {
    const inner = html`<b>${'a<b'}</b>`;
    expect(
      html`<i title="${'"x" & y'}">${inner}${[inner, '>']}${null}${undefined}${false}${0}</i>`.text,
    ).toBe('<i title="&quot;x&quot; &amp; y"><b>a&lt;b</b><b>a&lt;b</b>&gt;0</i>');
  });

  it('makes control characters visible instead of passing them', () => {
    expect(html`${'a\u0000b\u001b[31m'}`.text).toBe('a\ufffdb\ufffd[31m');
  });

  it('embeds JSON that no HTML parser can leave', () => {
    const { text: block } = embeddedJson('data', { a: '</script><!--', b: '\u2028' });
    const text = block.slice(block.indexOf('>') + 1, block.lastIndexOf('</script>'));
    expect(text).not.toMatch(/[<>\u2028]/);
    expect(JSON.parse(text)).toEqual({ a: '</script><!--', b: '\u2028' });
  });
});

describe('Markdown tables', () => {
  it('keep one row a profile, whatever a name holds', () => {
    const text = renderMarkdown({
      results: [],
      profiles: [profile({ subject: { kind: 'struct', name: 'a|b`c\nd' }, validation: comparison() })],
    });
    const rows = text.split('\n').filter((line) => line.startsWith('| struct'));
    expect(rows).toHaveLength(1);
    expect(rows[0]?.match(/(?<!\\)\|/g)).toHaveLength(5);
  });
});

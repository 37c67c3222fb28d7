import { createHash } from 'node:crypto';
import type { Environment } from '../model/fingerprint.js';
import type { Unit } from '../model/metric.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import { formatBytes, formatDurationMs, formatNumber, formatShare } from '../units.js';
import { findingsSection, statusText } from './findings.js';
import { flameGraph, frameOrigin } from './flame-graph.js';
import { commonDirectory, formatInstant, formatValue, profileName, shortenPaths } from './format.js';
import { statsSentence, type ReportInput, type ReportStats } from './input.js';
import { hostSection } from './host-section.js';
import { html, trusted, type Markup } from './markup.js';
import { comparisonsSection } from './comparisons.js';
import { groupProfiles, optimizationsSection } from './optimizations.js';
import { retainerTable } from './retainer-table.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';
import { seriesOf, timeLines } from './time-line.js';
import { uPlotAssets } from './time-line-script.js';
import { allocationTable, definitionOf, functionTable, metricsTable } from './tables.js';
import { allocationTree } from './allocation-tree.js';
import { flameDiffSection } from './flame-diff.js';
import { threadLanes } from './thread-lanes.js';
import { nativeTable, shownNativeFunctions } from './native-table.js';
import { activityTable, threadProfileTable, threadTable } from './waiting-tables.js';

/**
 * Renders one self-contained HTML page: findings first, then the flame graph, the time line, optimisations,
 * metrics and conditions. It loads nothing from anywhere, is readable without scripts, and runs no script but
 * its own and uPlot (a content security policy names them by their hashes).
 *
 * @example
 * await writeFile('report.html', renderHtml({ results, profiles, stats }));
 */
export function renderHtml(input: ReportInput): string {
  const latest = input.results[0];
  const groups = groupProfiles(input.profiles);
  const title = latest === undefined ? 'Optimisations' : targetOf(latest);
  const sections: (readonly [id: string, label: string, body: Markup])[] = [];

  input.results.forEach((result, index) => {
    const suffix = index === 0 ? '' : `-${index + 1}`;
    const label = input.results.length === 1 ? '' : `, ${profileName(result.type)}`;
    sections.push(...resultSections(result, suffix, label));
    const difference =
      index === 0 && input.against !== undefined
        ? flameDiffSection(input.against, result, userRoot(result))
        : undefined;
    if (difference !== undefined) sections.push(['difference', 'Then and now', difference]);
  });
  if (input.profiles.length > 0) {
    sections.push(['optimisations', 'Optimisations', optimizationsSection(input.profiles)]);
  }
  if (input.comparisons !== undefined && input.comparisons.length > 0) {
    sections.push(['comparisons', 'Before and after', comparisonsSection(input.comparisons)]);
  }
  if (input.stats !== undefined) sections.push(['stored', 'In the store', statsSection(input.stats)]);
  if (input.hostProbe !== undefined && input.hostProbe.latencyCurve.length > 1) {
    sections.push(['host', 'This machine', hostSection(input.hostProbe)]);
  }
  const environment = latest?.environment ?? input.profiles[0]?.environment ?? input.environment;
  if (environment !== undefined) {
    sections.push(['conditions', 'Conditions', conditionsSection(environment, latest, input)]);
  }

  // 53 KB that a page without a time line does without.
  const uPlot = sections.some(([id]) => id.startsWith('timeline')) ? uPlotAssets() : undefined;
  const scripts = uPlot === undefined ? [SCRIPT] : [uPlot.script, SCRIPT];

  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; script-src ${trusted(scripts.map(hashSource).join(' '))}; base-uri 'none'; form-action 'none'"
        />
        <meta name="generator" content="system-optimizer" />
        <title>${title} · system-optimizer</title>
        ${trusted(`<style>${uPlot?.style ?? ''}${STYLE}</style>`)}
      </head>
      <body>
        <header class="masthead">
          <div class="wrap">
            <p class="eyebrow">
              <b>system-optimizer</b
              >${latest !== undefined && html`<span>${profileName(latest.type)}</span><span>${formatDurationMs(latest.durationMs)}</span><span>${formatInstant(latest.createdAt)}</span>`}
            </p>
            <h1>${headline(latest, groups.applied.length)}</h1>
            ${
              latest !== undefined &&
              html`<p class="target"><code>${latest.target.description}</code></p>
                ${latest.trigger !== undefined && html`<p class="target">Taken by the monitor: ${latest.trigger.statement}</p>`}
                <p class="lead">${shortenPaths(latest.analysis.summary, userRoot(latest))}</p>`
            }
            ${latest !== undefined && keyFigures(latest)}
          </div>
        </header>
        <nav aria-label="Sections">
          <div class="wrap">${sections.map(([id, label]) => html`<a href="#${id}">${label}</a>`)}</div>
        </nav>
        <main class="wrap">
          ${
            sections.length === 0
              ? html`<section>
                  <p>The store holds nothing yet. Start with <code>sysopt profile -- node app.js</code>.</p>
                </section>`
              : sections.map(
                  ([id, label, body]) =>
                    html`<section id="${id}">
                      <h2>${label}</h2>
                      ${body}
                    </section>`,
                )
          }
        </main>
        <footer>
          <div class="wrap quiet">
            Made by
            system-optimizer${environment !== undefined && ` ${environment.libraryVersion}`}${input.createdAt !== undefined && html` on ${formatInstant(input.createdAt)}`}.
            All figures were measured on the host named under Conditions.
          </div>
        </footer>
        ${scripts.map((script) => trusted(`<script>${script}</script>`))}
      </body>
    </html> `;
  return page.text;
}

/** How a content security policy names a script. */
function hashSource(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}

function resultSections(
  result: ProfilingResult,
  suffix: string,
  label: string,
): (readonly [string, string, Markup])[] {
  const root = userRoot(result);
  const memory = result.type === 'memory';
  const sections: (readonly [string, string, Markup])[] = [
    [`findings${suffix}`, `Findings${label}`, findingsSection(result, root)],
  ];
  if (result.callTree !== null) {
    const unit = memory ? 'bytes' : 'ms';
    sections.push([
      `flame${suffix}`,
      `${memory ? 'Allocation' : 'Flame'} graph${label}`,
      flameGraph(result.callTree, { unit, root }),
    ]);
  }
  if (memory && result.callTree !== null && result.callTree.children.length > 0) {
    sections.push([`tree${suffix}`, `Allocation tree${label}`, allocationTree(result.callTree, root)]);
  }
  if (result.functions.length > 0) {
    sections.push([`functions${suffix}`, `Hot functions${label}`, functionTable(result.functions, root)]);
  }
  const nativeFunctions = shownNativeFunctions(result);
  if (nativeFunctions.length > 0) {
    sections.push([`native${suffix}`, `Native code${label}`, nativeTable(nativeFunctions)]);
  }
  if (result.allocations.length > 0) {
    sections.push([`allocations${suffix}`, `Allocation${label}`, allocationTable(result.allocations, root)]);
  }
  const { activities = [], threads = [], threadProfiles = [], retainers = [] } = result;
  if (retainers.length > 0) {
    sections.push([`retainers${suffix}`, `What keeps objects${label}`, retainerTable(retainers, root)]);
  }
  if (activities.length > 0) {
    sections.push([`operations${suffix}`, `Operations${label}`, activityTable(activities, root)]);
  }
  if (threads.length > 0) {
    sections.push([
      `threads${suffix}`,
      `Threads${label}`,
      html`${threadLanes(threads, result.durationMs)}${threadTable(threads, result.durationMs)}`,
    ]);
  }
  if (threadProfiles.length > 0) {
    sections.push([`workers${suffix}`, `Worker threads${label}`, threadProfileTable(threadProfiles, root)]);
  }
  const series = seriesOf(result.timeline, (name) => unitOf(result, name));
  if (series.length > 0) {
    sections.push([`timeline${suffix}`, `Time line${label}`, timeLines(series)]);
  }
  sections.push([`metrics${suffix}`, `Metrics${label}`, metricsTable(result.metrics)]);
  return sections;
}

function headline(result: ProfilingResult | undefined, applied: number): string {
  if (result === undefined) {
    return applied === 0
      ? 'Nothing applied yet'
      : `${applied} optimisation${applied === 1 ? '' : 's'} applied`;
  }
  return shortenPaths(result.analysis.findings[0]?.title ?? 'No findings', userRoot(result));
}

function targetOf(result: ProfilingResult): string {
  return `${profileName(result.type)} of ${result.target.description}`;
}

/** The figures that a reader asks for first, as far as they were measured. */
function keyFigures(result: ProfilingResult): Markup {
  const figures: [label: string, value: string][] = [];
  const { load } = result.target;
  if (load !== undefined) {
    figures.push(['requests a second', formatNumber(load.requestsPerSecond)]);
    figures.push(['p99 latency', formatDurationMs(load.latencyMs.p99)]);
    if (load.errors > 0) figures.push(['failed requests', formatNumber(load.errors)]);
  }
  for (const [name, label] of KEY_METRICS) {
    const metric = result.metrics[name];
    if (metric?.available === true) figures.push([label, formatValue(metric.value, metric.unit)]);
  }
  const problems = result.analysis.findings.filter((finding) => finding.cause !== 'healthy').length;
  figures.unshift([problems === 1 ? 'finding' : 'findings', String(problems)]);
  return html`<dl class="figures">
    ${figures.slice(0, 6).map(
      ([label, value]) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

const KEY_METRICS: readonly (readonly [metric: string, label: string])[] = [
  ['eventLoop.utilization', 'event loop in use'],
  ['eventLoop.delay.p99', 'p99 loop delay'],
  ['gc.share', 'in garbage collection'],
  ['heap.allocation.rate', 'allocated'],
  ['process.rss', 'resident memory'],
  ['heap.used', 'heap in use'],
];

function statsSection(stats: ReportStats): Markup {
  const table = (caption: string, counts: Readonly<Record<string, number>>) =>
    html`<table>
      <caption>
        ${caption}
      </caption>
      <tbody>
        ${Object.entries(counts).map(
          ([name, count]) =>
            html`<tr>
              <td>${statusText(name)}</td>
              <td class="number">${formatNumber(count)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
  return html`<p>${statsSentence(stats)}</p>
    <div class="metrics">${table('by type', stats.byType)}${table('by status', stats.byStatus)}</div>`;
}

function conditionsSection(
  environment: Environment,
  result: ProfilingResult | undefined,
  input: ReportInput,
): Markup {
  const { host } = environment;
  const rows: [string, string][] = [
    [
      'CPU',
      `${host.cpuModel}, ${host.logicalCpus} logical${host.quotaCpus === undefined ? '' : `, quota ${formatNumber(host.quotaCpus)} CPUs`}`,
    ],
    ['Memory', formatBytes(host.memoryBytes)],
    [
      'System',
      `${host.platform} ${host.arch}, ${host.kernel}${host.virtualised === true ? ', virtual machine' : ''}`,
    ],
    [
      'Node.js',
      `${environment.node} (V8 ${environment.v8})${environment.flags.length > 0 ? ` ${environment.flags.join(' ')}` : ''}`,
    ],
  ];
  if (environment.governor !== undefined) rows.push(['Governor', environment.governor]);
  if (environment.loadAverage !== undefined) {
    rows.push(['Load average at the start', formatNumber(environment.loadAverage)]);
  }
  if (environment.stealShare !== undefined) {
    rows.push(['Taken by the hypervisor', formatShare(environment.stealShare)]);
  }
  const load = result?.target.load;
  if (load !== undefined) {
    rows.push([
      'Load',
      `${load.url}: ${formatNumber(load.requests)} requests, ${formatNumber(load.errors)} failed; latency p50 ${formatDurationMs(load.latencyMs.p50)}, p90 ${formatDurationMs(load.latencyMs.p90)}, p99 ${formatDurationMs(load.latencyMs.p99)}, max ${formatDurationMs(load.latencyMs.max)}`,
    ]);
  }
  rows.push(['Host fingerprint', host.id]);
  if (result !== undefined) rows.push(['Result', result.id]);
  const warnings = input.results.flatMap((each) => each.warnings);
  return html`<table class="conditions">
      <tbody>
        ${rows.map(
          ([label, value]) =>
            html`<tr>
              <th scope="row">${label}</th>
              <td>${value}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${
      warnings.length > 0 &&
      html`<ul class="warnings">
        ${warnings.map((warning) => html`<li>${warning}</li>`)}
      </ul>`
    }`;
}

function unitOf(result: ProfilingResult, name: string): Unit | '' {
  const metric = result.metrics[name];
  if (metric?.available === true) return metric.unit;
  // Time lines may hold names of their own; ours end in their unit.
  return definitionOf(name)?.unit ?? (name.endsWith('Ms') ? 'ms' : name.endsWith('Bytes') ? 'bytes' : '');
}

/** The directory of the user's own code, to shorten places by. */
function userRoot(result: ProfilingResult): string {
  const files = [...result.functions, ...result.allocations]
    .map((cost) => cost.location.file)
    .filter((file) => frameOrigin({ name: '', file }) === 'user');
  return commonDirectory(files);
}

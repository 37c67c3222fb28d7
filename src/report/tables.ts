import { METRIC_CATALOGUE, type MetricDefinition } from '../model/metric-catalogue.js';
import type { Metric, Metrics } from '../model/metric.js';
import type { AllocationSite, FunctionCost } from '../model/signals.js';
import { formatBytes, formatDurationMs, formatShare } from '../units.js';
import { formatFunctionName, formatMetric, formatPlace } from './format.js';
import { html, type Markup } from './markup.js';
import { more, SHOWN_ROWS, shareCell } from './table-parts.js';

const LEAST_SHARE = 0.0005;

/** Hottest functions by self time, with bars for the shares. */
export function functionTable(all: readonly FunctionCost[], root: string): Markup {
  // The rest only called others; the flame graph shows them.
  const functions = all.filter((cost) => cost.selfShare >= LEAST_SHARE);
  return html`<div class="scroll">
      <table class="costs">
        <thead>
          <tr>
            <th>Function</th>
            <th>Place</th>
            <th class="number">Self</th>
            <th>of CPU</th>
            <th class="number">Total</th>
          </tr>
        </thead>
        <tbody>
          ${functions.slice(0, SHOWN_ROWS).map(
            (cost) =>
              html`<tr>
                <td>
                  <i class="swatch ${originClass(cost.origin)}"></i
                  ><code>${formatFunctionName(cost.location.function)}</code>
                </td>
                <td>
                  <code class="quiet"
                    >${formatPlace({ file: cost.location.file, line: cost.hottestLine ?? cost.location.line }, root)}</code
                  >
                </td>
                <td class="number">${formatDurationMs(cost.selfMs)}</td>
                ${shareCell(cost.selfShare)}
                <td class="number">${formatShare(cost.totalShare)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${more(functions.length)}`;
}

/** Greatest allocation sites by bytes. */
export function allocationTable(sites: readonly AllocationSite[], root: string): Markup {
  return html`<div class="scroll">
      <table class="costs">
        <thead>
          <tr>
            <th>Function</th>
            <th>Place</th>
            <th class="number">Allocated</th>
            <th>of all</th>
            <th class="number">Live at end</th>
          </tr>
        </thead>
        <tbody>
          ${sites.slice(0, SHOWN_ROWS).map(
            (site) =>
              html`<tr>
                <td>
                  <i class="swatch ${originClass(site.origin)}"></i
                  ><code>${formatFunctionName(site.location.function)}</code>
                </td>
                <td><code class="quiet">${formatPlace(site.location, root)}</code></td>
                <td class="number">${formatBytes(site.allocatedBytes)}</td>
                ${shareCell(site.share)}
                <td class="number">${site.liveBytes === undefined ? '–' : formatBytes(site.liveBytes)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${more(sites.length)}`;
}

/** All metrics by group; those that could not be measured stand apart, with the reason and what would help. */
export function metricsTable(metrics: Metrics): Markup {
  const groups = new Map<string, [string, Metric][]>();
  const missing: [string, Extract<Metric, { available: false }>][] = [];
  for (const [name, metric] of Object.entries(metrics)) {
    if (!metric.available) {
      missing.push([name, metric]);
      continue;
    }
    const group = name.includes('.') ? name.slice(0, name.indexOf('.')) : 'other';
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [[name, metric]]);
    else members.push([name, metric]);
  }
  return html`<div class="metrics">
      ${[...groups].map(
        ([group, members]) =>
          html`<table>
            <caption>
              ${GROUP_TITLES[group] ?? group}
            </caption>
            <tbody>
              ${members.map(
                ([name, metric]) =>
                  html`<tr title="${definitionOf(name)?.definition ?? name}">
                    <td><code>${name}</code></td>
                    <td class="number">${formatMetric(metric)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`,
      )}
    </div>
    ${
      missing.length > 0 &&
      html`<details class="missing" open>
        <summary>Not available here (${missing.length})</summary>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Metric</th>
                <th>Why</th>
                <th>What would help</th>
              </tr>
            </thead>
            <tbody>
              ${missing.map(
                ([name, metric]) =>
                  html`<tr>
                    <td><code>${name}</code></td>
                    <td>${metric.message} <code class="quiet">${metric.reason}</code></td>
                    <td>${metric.remedy}</td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </details>`
    }`;
}

const GROUP_TITLES: Readonly<Record<string, string>> = {
  eventLoop: 'Event loop',
  cpu: 'CPU by what ran',
  process: 'Process',
  thread: 'Threads',
  host: 'Host',
  cgroup: 'Container',
  gc: 'Garbage collection',
  heap: 'JavaScript heap',
  external: 'Memory outside the heap',
  rss: 'Resident memory',
};

/** What a metric is, where it is catalogued; counters and rules may bring names of their own. */
export function definitionOf(metric: string): MetricDefinition | undefined {
  return Object.hasOwn(METRIC_CATALOGUE, metric)
    ? METRIC_CATALOGUE[metric as keyof typeof METRIC_CATALOGUE]
    : undefined;
}

function originClass(origin: FunctionCost['origin']): string {
  return `o-${origin === 'program' ? 'native' : origin}`;
}

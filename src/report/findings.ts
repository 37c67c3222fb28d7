import type { Evidence } from '../model/finding.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Recommendation } from '../model/recommendation.js';
import { formatShare, formatSpeedup } from '../units.js';
import {
  answerFindings,
  commandFor,
  installedGuide,
  labelOf,
  wordsOf,
  type AnsweredFinding,
} from './actions.js';
import { formatFunctionName, formatPlace, formatValue, passedThreshold, shortenPaths } from './format.js';
import { html, type Markup } from './markup.js';

/** Findings of one run with what to do about each; recommendations that answer none follow at the end. */
export function findingsSection(result: ProfilingResult, root: string): Markup {
  const { ruledOut } = result.analysis;
  const { findings, others } = answerFindings(result);
  const cards = findings.map((answered) => findingCard(answered, root));
  return html`${cards}
  ${
    others.length > 0 &&
    html`<article class="finding s-info">
      <div class="finding-body">
        <h3>More to do</h3>
        ${others.map((recommendation) => recommendationBlock(recommendation, root, false))}
      </div>
    </article>`
  }
  ${
    ruledOut.length > 0 &&
    html`<details class="ruled-out">
      <summary>Considered and ruled out (${ruledOut.length})</summary>
      <dl>
        ${ruledOut.map(
          (item) =>
            html`<dt><code>${item.cause}</code></dt>
              <dd>${item.because}</dd>`,
        )}
      </dl>
    </details>`
  }`;
}

function findingCard({ finding, number, answers }: AnsweredFinding, root: string): Markup {
  const { location } = finding;
  return html`<article class="finding s-${finding.severity}">
    <div class="finding-number" aria-hidden="true">${number}</div>
    <div class="finding-body">
      <p class="finding-meta">
        <span class="severity">${finding.severity}</span><code>${finding.cause}</code
        ><span class="quiet">confidence ${formatShare(finding.confidence)}</span>${
          finding.expectedGain !== undefined &&
          html`<span class="quiet">up to ${formatShare(finding.expectedGain)} of CPU time to win</span>`
        }
      </p>
      <h3>${shortenPaths(finding.title, root)}</h3>
      ${
        location !== undefined &&
        html`<p class="place">
          <code><b>${formatFunctionName(location.function)}</b> ${formatPlace(location, root)}</code>
        </p>`
      }
      ${finding.detail !== undefined && html`<p>${shortenPaths(finding.detail, root)}</p>`}
      ${
        finding.evidence.length > 0 &&
        html`<table class="evidence">
          <caption class="visually-hidden">
            Evidence
          </caption>
          <tbody>
            ${finding.evidence.map((evidence) => evidenceRow(evidence, root))}
          </tbody>
        </table>`
      }
      ${answers.map(({ recommendation, sameAs }) =>
        sameAs === undefined
          ? recommendationBlock(recommendation, root, true)
          : html`<details class="repeated">
              <summary>What to do: as for ${sameAs}</summary>
              ${recommendationBlock(recommendation, root, true)}
            </details>`,
      )}
      ${
        finding.ruledOut.length > 0 &&
        html`<details class="ruled-out">
          <summary>Why not something else (${finding.ruledOut.length})</summary>
          <dl>
            ${finding.ruledOut.map(
              (item) =>
                html`<dt><code>${item.cause}</code></dt>
                  <dd>${item.because}</dd>`,
            )}
          </dl>
        </details>`
      }
    </div>
  </article>`;
}

function evidenceRow(evidence: Evidence, root: string): Markup {
  const { value } = evidence;
  const threshold = passedThreshold(evidence);
  const share = evidence.unit === 'ratio' && value >= 0 && value <= 1;
  // A bar needs something to be measured by: the whole, or the threshold that was passed.
  const scale = share ? 1 : threshold === undefined ? undefined : value * 1.08 || 1;
  return html`<tr>
    <td>${shortenPaths(evidence.statement, root)}</td>
    <td class="meter">${scale !== undefined && meter(evidence, scale, threshold)}</td>
    <td class="number">
      ${formatValue(value, evidence.unit)}${threshold !== undefined && html`<small>against ${formatValue(threshold, evidence.unit)}</small>`}
    </td>
  </tr>`;
}

function meter({ value, unit }: Evidence, scale: number, threshold: number | undefined): Markup {
  const width = (part: number) => Number((Math.min(1, Math.abs(part) / scale) * 100).toFixed(1));
  return html`<span
    ><i style="width:${width(value)}%"></i
    >${threshold !== undefined && html`<b style="left:${width(threshold)}%" title="held against ${formatValue(threshold, unit)}"></b>`}</span
  >`;
}

/** One recommendation: the change to make or the command to run, and what it led to where it was carried out. */
function recommendationBlock(recommendation: Recommendation, root: string, belowFinding: boolean): Markup {
  const { outcome } = recommendation;
  const [title = '', ...more] = wordsOf(recommendation, belowFinding);
  return html`<div class="todo">
    <p class="todo-title"><span>${labelOf(recommendation)}</span>${shortenPaths(title, root)}</p>
    ${more.map((sentence) => html`<p>${sentence}</p>`)} ${actionBlock(recommendation)}
    ${
      outcome !== undefined &&
      html`<p class="outcome">
        Carried out:
        ${statusText(outcome.status)}${outcome.ratio !== undefined && `, ${formatSpeedup(outcome.ratio)} as fast${recommendation.action.kind === 'experiment' ? ' without the cause' : ''}`}
        <code>${outcome.profileId ?? outcome.comparisonId ?? ''}</code>
      </p>`
    }
  </div>`;
}

function actionBlock({ action, id }: Recommendation): Markup {
  if (action.kind === 'code-change') {
    return html`<div class="change">
        ${
          action.source !== undefined &&
          html`<figure class="line">
            <figcaption>The line</figcaption>
            <pre><code>${action.source}</code></pre>
          </figure>`
        }
        <figure class="before">
          <figcaption>The pattern</figcaption>
          <pre><code>${action.before}</code></pre>
        </figure>
        <figure class="after">
          <figcaption>Write instead</figcaption>
          <pre><code>${action.after}</code></pre>
        </figure>
      </div>
      <p class="quiet">Guide: <code>${installedGuide(action.guide)}</code></p>`;
  }
  const command = html`<pre class="command"><code>${commandFor(action, id)}</code></pre>`;
  if (action.kind !== 'experiment') return command;
  return html`${command}
    <details class="template">
      <summary>The module to fill in</summary>
      <pre><code>${action.template}</code></pre>
    </details>`;
}

export function statusText(status: string): string {
  return status.replaceAll('_', ' ');
}

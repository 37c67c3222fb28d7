import type { Evidence, Finding } from '../model/finding.js';
import type { ProfilingResult } from '../model/profiling-result.js';
import type { Action, Recommendation } from '../model/recommendation.js';
import { formatShare, formatSpeedup } from '../units.js';
import { formatPlace, formatValue } from './format.js';
import { html, type Markup } from './markup.js';

/** The recommendations that answer a finding: same cause, and same place where both name one. */
export function recommendationsFor(
  finding: Finding,
  recommendations: readonly Recommendation[],
): Recommendation[] {
  return recommendations.filter((recommendation) => {
    if (recommendation.cause !== finding.cause) return false;
    const [a, b] = [finding.location, recommendation.location];
    return a === undefined || b === undefined || (a.file === b.file && a.line === b.line);
  });
}

/** Findings of one run with what to do about each; recommendations that answer none follow at the end. */
export function findingsSection(result: ProfilingResult, root: string): Markup {
  const { findings, ruledOut } = result.analysis;
  const answered = new Set<Recommendation>();
  const cards = findings.map((finding, index) => {
    const recommendations = recommendationsFor(finding, result.recommendations).filter(
      (recommendation) => !answered.has(recommendation),
    );
    for (const recommendation of recommendations) answered.add(recommendation);
    return findingCard(finding, index + 1, recommendations, root);
  });
  const others = result.recommendations.filter((recommendation) => !answered.has(recommendation));
  return html`${cards}
  ${
    others.length > 0 &&
    html`<article class="finding s-info">
      <div class="finding-body">
        <h3>More to do</h3>
        ${others.map((recommendation) => recommendationBlock(recommendation))}
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

function findingCard(
  finding: Finding,
  number: number,
  recommendations: readonly Recommendation[],
  root: string,
): Markup {
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
      <h3>${finding.title}</h3>
      ${
        location !== undefined &&
        html`<p class="place">
          <code
            ><b>${location.function === '' ? '(anonymous)' : location.function}</b>
            ${formatPlace(location, root)}</code
          >
        </p>`
      }
      ${finding.detail !== undefined && html`<p>${finding.detail}</p>`}
      ${
        finding.evidence.length > 0 &&
        html`<table class="evidence">
          <caption class="visually-hidden">
            Evidence
          </caption>
          <tbody>
            ${finding.evidence.map(evidenceRow)}
          </tbody>
        </table>`
      }
      ${recommendations.map((recommendation) => recommendationBlock(recommendation))}
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

function evidenceRow(evidence: Evidence): Markup {
  const { value, threshold } = evidence;
  const scale = Math.max(Math.abs(value), Math.abs(threshold ?? 0)) * 1.08 || 1;
  const width = (share: number) => Number((Math.min(1, Math.abs(share) / scale) * 100).toFixed(1));
  return html`<tr>
    <td>${evidence.statement}</td>
    <td class="meter">
      <span
        ><i style="width:${width(value)}%"></i
        >${threshold !== undefined && html`<b style="left:${width(threshold)}%" title="held against ${formatValue(threshold, evidence.unit)}"></b>`}</span
      >
    </td>
    <td class="number">
      ${formatValue(value, evidence.unit)}${threshold !== undefined && html`<small>against ${formatValue(threshold, evidence.unit)}</small>`}
    </td>
  </tr>`;
}

/** One recommendation: the change to make or the command to run, and what it led to where it was carried out. */
export function recommendationBlock(recommendation: Recommendation): Markup {
  const { outcome } = recommendation;
  return html`<div class="todo">
    <p class="todo-title"><span>What to do</span>${recommendation.title}</p>
    ${actionBlock(recommendation)}
    ${
      outcome !== undefined &&
      html`<p class="outcome">
        Carried out:
        ${statusText(outcome.status)}${outcome.ratio !== undefined && `, ${formatSpeedup(outcome.ratio)} as fast`}
        <code>${outcome.profileId}</code>
      </p>`
    }
  </div>`;
}

function actionBlock({ action, id, title }: Recommendation): Markup {
  const sentence = describeAction(action);
  // Titles often end with what is to be done: once is enough.
  const lead = !title.endsWith(sentence) && html`<p>${sentence}</p>`;
  if (action.kind === 'code-change') {
    return html`${lead}
      <div class="change">
        <figure class="before">
          <figcaption>The pattern</figcaption>
          <pre><code>${action.before}</code></pre>
        </figure>
        <figure class="after">
          <figcaption>Write instead</figcaption>
          <pre><code>${action.after}</code></pre>
        </figure>
      </div>
      <p class="quiet">Guide: <code>${action.guide}</code></p>`;
  }
  return html`${lead}
    <pre class="command"><code>${commandFor(action, id)}</code></pre>`;
}

/** What an action is, in a sentence. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'optimize-memory':
      return `The optimizer can plan and measure the memory layout${ofSubject(action.subject)}.`;
    case 'optimize-computation':
      return `The optimizer can race the variants${ofSubject(action.subject)} and pick one per input size.`;
    case 'optimize-threads':
      return `The optimizer can find the number of threads and the chunk size${ofSubject(action.subject)}.`;
    case 'runtime-flag':
      return `Try the Node flag ${action.flag}, measured against the service as it is.`;
    case 'code-change':
      return action.summary;
  }
}

/** The command that carries an action out. */
export function commandFor(action: Exclude<Action, { kind: 'code-change' }>, id: string): string {
  return action.kind === 'runtime-flag'
    ? `sysopt optimize --try-flag=${action.flag} --url URL -- node app.js`
    : `sysopt optimize --recommendation ${id} --subjects subjects.js`;
}

export function statusText(status: string): string {
  return status.replaceAll('_', ' ');
}

function ofSubject(subject: string | undefined): string {
  return subject === undefined ? '' : ` of ${subject}`;
}

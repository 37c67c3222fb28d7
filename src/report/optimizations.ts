import type { Choice } from '../model/choice.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import { forestPlot, type ForestRow } from './forest-plot.js';
import { statusText } from './findings.js';
import { formatCount, formatInstant } from './format.js';
import { html, type Markup } from './markup.js';

/** Profiles told apart by what they may claim. A reference run never counts as a gain. */
export interface ProfileGroups {
  readonly applied: readonly OptimizationProfile[];
  readonly notApplied: readonly OptimizationProfile[];
  readonly reference: readonly OptimizationProfile[];
}

export function groupProfiles(profiles: readonly OptimizationProfile[]): ProfileGroups {
  const own = profiles.filter((profile) => profile.subject.kind !== 'reference');
  return {
    applied: own.filter((profile) => profile.status === 'applied'),
    notApplied: own.filter((profile) => profile.status !== 'applied'),
    reference: profiles.filter((profile) => profile.subject.kind === 'reference'),
  };
}

export function optimizationsSection(profiles: readonly OptimizationProfile[]): Markup {
  const groups = groupProfiles(profiles);
  return html`${group(
    'Applied by the tool',
    'Measured better on this machine and put in force. Everything to the right of 1× is faster.',
    groups.applied,
  )}${group(
    'Measured and left alone',
    'The present state is as good, or the machine was too noisy to tell. Nothing was changed.',
    groups.notApplied,
  )}${group(
    'Reference runs',
    'Measured on records of the library itself. They set defaults for this host; they are no gain of your service.',
    groups.reference,
    true,
  )}`;
}

function group(
  title: string,
  lead: string,
  profiles: readonly OptimizationProfile[],
  muted = false,
): Markup | null {
  if (profiles.length === 0) return null;
  const measured = profiles.filter((profile) => profile.validation !== null);
  const unmeasured = profiles.filter((profile) => profile.validation === null);
  return html`<div class="optimization-group">
    <h3>${title}</h3>
    <p class="quiet">${lead}</p>
    ${measured.length > 0 && forestPlot(measured.flatMap((profile) => rowsOf(profile, muted)))}
    ${
      unmeasured.length > 0 &&
      html`<ul class="unmeasured">
        ${unmeasured.map(
          (profile) =>
            html`<li>
              <code>${subjectOf(profile)}</code> ${statusText(profile.status)}:
              ${profile.warnings[0] ?? 'no comparison could be made'}
            </li>`,
        )}
      </ul>`
    }
    <details>
      <summary>What was chosen, and how it was measured</summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Subject</th>
              <th>Status</th>
              <th>In force</th>
              <th>Compared</th>
              <th>Measured</th>
            </tr>
          </thead>
          <tbody>
            ${profiles.map(
              (profile) =>
                html`<tr>
                  <td><code>${subjectOf(profile)}</code></td>
                  <td>${statusText(profile.status)}</td>
                  <td>${profile.choice === null ? '–' : describeChoice(profile.choice)}</td>
                  <td>
                    ${
                      profile.validation === null
                        ? '–'
                        : html`${profile.validation.candidate} against ${profile.validation.baseline},
                          ${formatCount(profile.validation.pairs, 'pair')} (${profile.validation.form})`
                    }
                  </td>
                  <td>${formatInstant(profile.createdAt)}<br /><code class="quiet">${profile.id}</code></td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${
        profiles.some((profile) => profile.warnings.length > 0) &&
        html`<ul class="warnings">
          ${profiles.flatMap((profile) => profile.warnings.map((warning) => html`<li>${subjectOf(profile)}: ${warning}</li>`))}
        </ul>`
      }
    </details>
  </div>`;
}

function rowsOf(profile: OptimizationProfile, muted: boolean): ForestRow[] {
  const { validation } = profile;
  if (validation === null) return [];
  const own: ForestRow = {
    label: html`<code>${subjectOf(profile)}</code>`,
    detail:
      profile.choice === null
        ? `${validation.candidate} against ${validation.baseline}`
        : describeChoice(profile.choice),
    comparison: validation,
    muted,
  };
  const further = profile.comparisons
    .filter((comparison) => comparison !== validation && comparison.candidate !== validation.candidate)
    .map((comparison) => ({
      label: `${comparison.candidate} against ${comparison.baseline}`,
      comparison,
      nested: true,
      muted,
    }));
  return [own, ...further.slice(0, 6)];
}

function subjectOf(profile: OptimizationProfile): string {
  return profile.subject.kind === 'reference'
    ? `${profile.type} reference`
    : `${profile.subject.kind} ${profile.subject.name}`;
}

/** A choice in a few words, e.g. `cache_line packing, soa, 64 B lines`. */
export function describeChoice(choice: Choice): string {
  switch (choice.kind) {
    case 'memory':
      return `${choice.packing} packing, ${ORDERS[choice.order]}, ${choice.cacheLineBytes} B lines`;
    case 'pool':
      return `${choice.slots} slots${choice.growSlots === undefined ? '' : ` grown by ${choice.growSlots}`} aligned to ${choice.alignmentBytes} B, huge pages ${choice.hugePages}${choice.prefault ? ', prefaulted' : ''}`;
    case 'size_classes':
      return `${choice.classes.length} size classes, ${choice.classes.map(({ slotBytes, slots }) => `${slots} × ${slotBytes} B`).join(', ')}`;
    case 'computation':
      return choice.bySize
        .map(({ maxSize, variant }) => `${variant}${maxSize === null ? '' : ` up to ${maxSize}`}`)
        .join(', then ');
    case 'thread':
      return choice.threads === 1
        ? 'serial'
        : `${choice.threads} threads, ${choice.schedule} schedule${choice.grain === null ? '' : `, ${choice.grain} a chunk`}`;
  }
}

const ORDERS = {
  aos: 'array of structs',
  soa: 'struct of arrays',
  aosoa: 'blocked struct of arrays',
} as const;

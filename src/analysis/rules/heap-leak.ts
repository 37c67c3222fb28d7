import type { AllocationSite, ListenerGrowth, Retainer } from '../../model/signals.js';
import { formatBytes, formatNumber, formatShare } from '../../units.js';
import { confidenceAbove } from '../confidence.js';
import { fileOf, placeOf } from '../operation-finding.js';
import type { RankedFinding, Rule, RuleResult } from '../rule.js';
import type { SignalView } from '../signal-view.js';

const BYTES_PER_SECOND = 200e3;
const LEAST_BYTES = 1e6;
/**
 * Without a place (a CPU run samples no objects), and where the source bounds what keeps the objects, only lasting growth tells a
 * leak from a program that warms up and a cache that fills.
 */
const LASTING_WINDOW_MS = 60_000;
/** A leak has a place; what a program keeps while it warms up comes from everywhere. */
const SITE_SHARE = 0.3;
/**
 * Of the growth, what the objects of the place have to explain: it is the whole heap's, the profiler's own buffers and a program
 * that warms up included, while the place's share is one of what the program itself still holds.
 */
const EXPLAINED = 0.25;
/** What Node makes for a response is often kept for a while by the program’s caches: it takes clearer growth. */
const NODE_MADE = 0.5;
const NODE_MADE_BYTES_PER_SECOND = 1e6;
/** Of all new objects, what one holder has to have to be the one that a leak hangs on. */
const RETAINER_SHARE = 0.25;
const LISTENER_CALLS = /^_?(add|on|once|prepend(Once)?)(EventListener|Listener)?$|^addEventListener$/;

/** Memory that collections do not free, growing over the window, with the function whose objects are kept. */
export const heapLeak: Rule = {
  cause: 'heap-leak',
  evaluate(view) {
    if (growingListeners(view) !== undefined)
      return { findings: [], because: 'what is kept hangs on listeners that are added and never removed' };
    return retention(view, false);
  },
};

/** Listeners that are added and not removed: counted where they are added, else told by the memory they keep. */
export const listenerLeak: Rule = {
  cause: 'listener-leak',
  evaluate(view) {
    const worst = growingListeners(view);
    return worst === undefined ? retention(view, true) : { findings: [listenerFinding(worst, view)] };
  },
};

/** An emitter that grows like this is not filling up; Node itself warns from eleven listeners on. */
const LEAST_GROWTH = 20;
const LISTENERS_PER_SECOND = 2;

function growingListeners(view: SignalView): ListenerGrowth | undefined {
  const seconds = view.signals.durationMs / 1000;
  return (view.signals.listeners ?? [])
    .filter(({ first, last, peak }) => last - first >= LEAST_GROWTH && last >= peak * 0.9)
    .filter(({ first, last }) => (last - first) / seconds >= LISTENERS_PER_SECOND)
    .toSorted((a, b) => b.last - b.first - (a.last - a.first))[0];
}

function listenerFinding(
  { emitter, event, location, first, last }: ListenerGrowth,
  view: SignalView,
): RankedFinding {
  const perSecond = ((last - first) / view.signals.durationMs) * 1000;
  const where = location === undefined ? 'The program' : placeOf(location);
  return {
    cause: 'listener-leak',
    severity: perSecond >= 20 ? 'critical' : 'high',
    confidence: Math.min(
      confidenceAbove(perSecond, LISTENERS_PER_SECOND),
      confidenceAbove(last - first, LEAST_GROWTH),
    ),
    impact: 0.9,
    title: `${where} adds listeners to “${event}” of one ${emitter} and does not remove them: ${last} now`,
    detail:
      'Every listener keeps what its function refers to, and each time that the event happens all of them run.',
    ...(location === undefined ? {} : { location }),
    evidence: [
      {
        metric: 'listeners.growth',
        value: perSecond,
        unit: 'count/s',
        threshold: LISTENERS_PER_SECOND,
        statement: `The emitter had ${first} listeners when they were first looked at and has ${last} now.`,
      },
    ],
  };
}

function retention(view: SignalView, ofListeners: boolean): RuleResult {
  const metric = view.value('heap.live.growth') !== undefined ? 'heap.live.growth' : 'heap.floor.growth';
  const growth = view.value(metric);
  if (growth === undefined) return { findings: [] };
  const grownBytes = (growth * view.signals.durationMs) / 1000;
  const places = view.userAllocations('liveBytes');
  const site = places.find(({ boundedBy }) => boundedBy === undefined || !isShort(view));
  const liveBytes = view.signals.allocations.reduce((sum, each) => sum + (each.liveBytes ?? 0), 0);
  const siteShare = site?.liveBytes === undefined || liveBytes === 0 ? undefined : site.liveBytes / liveBytes;
  if (growth < BYTES_PER_SECOND || grownBytes < LEAST_BYTES) {
    return {
      findings: [],
      because: `what survives collections grew by ${formatBytes(Math.max(0, growth))} a second`,
    };
  }
  if (siteShare === undefined && isShort(view)) {
    const bounded = places.find(
      ({ liveBytes: live, boundedBy }) => (live ?? 0) > 0 && boundedBy !== undefined,
    );
    if (bounded !== undefined) return { findings: [], because: fillsUp(growth, bounded) };
    return {
      findings: [],
      because: `what survives collections grew by ${formatBytes(growth)} a second, but a run this short cannot tell a leak from warming up without knowing which objects; a memory profile can`,
    };
  }
  if (siteShare !== undefined && siteShare < SITE_SHARE) {
    const [first] = places;
    if (first?.boundedBy !== undefined) return { findings: [], because: fillsUp(growth, first) };
    return {
      findings: [],
      because: `what was kept comes from many places, the greatest of them ${formatShare(siteShare)}`,
    };
  }
  const explained = (site?.liveBytes ?? grownBytes) / grownBytes;
  if (explained < EXPLAINED && !isListenerSite(site)) {
    return {
      findings: [],
      because: `what survives collections grew by ${formatBytes(growth)} a second, and the greatest part that the program itself keeps explains ${formatShare(explained)} of it`,
    };
  }
  if ((site?.nodeShare ?? 0) >= NODE_MADE && growth < NODE_MADE_BYTES_PER_SECOND && !isListenerSite(site)) {
    return {
      findings: [],
      because: `what survives collections grew by ${formatBytes(growth)} a second, and Node’s own functions made it`,
    };
  }
  if (isListenerSite(site) !== ofListeners) {
    return {
      findings: [],
      because: ofListeners ? 'what is kept are not listeners' : 'what is kept are listeners',
    };
  }
  return { findings: [finding(view, ofListeners, metric, growth, site, siteShare)] };
}

function isShort({ signals: { durationMs } }: SignalView): boolean {
  return durationMs < LASTING_WINDOW_MS;
}

function fillsUp(growth: number, { location, boundedBy = '' }: AllocationSite): string {
  return `what survives collections grew by ${formatBytes(growth)} a second, made in ${placeOf(location)}, but what keeps it is bounded (${boundedBy}): a run this short cannot tell a leak from a cache that fills up`;
}

function isListenerSite(site: AllocationSite | undefined): boolean {
  return site?.through !== undefined && LISTENER_CALLS.test(site.through.split('.').at(-1)!);
}

function finding(
  view: SignalView,
  ofListeners: boolean,
  metric: 'heap.live.growth' | 'heap.floor.growth',
  growth: number,
  site: AllocationSite | undefined,
  siteShare: number | undefined,
): RankedFinding {
  const limit = view.value('heap.limit') ?? Infinity;
  const used = view.value('heap.used') ?? 0;
  const secondsLeft = (limit - used) / growth;
  const kept = ofListeners ? 'listeners' : 'objects';
  const retainer = mainRetainer(view);
  const details = [
    Number.isFinite(secondsLeft) &&
      `At this rate the heap’s limit is reached in ${Math.round(secondsLeft / 60)} minutes.`,
    retainer !== undefined && `They hang on ${holderText(retainer)}.`,
    view.signals.retainers === undefined &&
      'What holds them, a memory profile with retainers (--retainers) tells.',
  ].filter((each) => each !== false);
  const location = siteShare === undefined ? undefined : site?.location;
  return {
    cause: ofListeners ? 'listener-leak' : 'heap-leak',
    severity: secondsLeft < 3600 ? 'critical' : 'high',
    confidence: Math.min(
      confidenceAbove(growth, BYTES_PER_SECOND),
      siteShare === undefined ? 0.7 : confidenceAbove(siteShare, SITE_SHARE),
    ),
    impact: 0.9,
    title:
      location === undefined
        ? `The heap keeps ${formatBytes(growth)} more every second`
        : `The ${kept} made in ${placeOf(location)} are never freed: ${formatBytes(growth)} more every second`,
    ...(details.length > 0 && { detail: details.join(' ') }),
    ...(location === undefined ? {} : { location }),
    evidence: [
      ...view.evidence(
        metric,
        (value) => `What survives collections grew by ${formatBytes(value)} a second.`,
        BYTES_PER_SECOND,
      ),
      ...(siteShare === undefined
        ? []
        : [
            {
              metric: 'allocation.liveShare',
              value: siteShare,
              unit: 'ratio',
              threshold: SITE_SHARE,
              statement: `${formatShare(siteShare)} of the sampled objects that are still alive were made there.`,
            },
          ]),
      ...(retainer === undefined
        ? []
        : [
            {
              metric: 'retainer.share',
              value: retainer.share,
              unit: 'ratio' as const,
              threshold: RETAINER_SHARE,
              statement: `${formatShare(retainer.share)} of what was made and kept in the window, ${formatBytes(retainer.bytes)} in ${formatNumber(retainer.objects)} objects, hangs on ${holderText(retainer)}.`,
            },
          ]),
    ],
  };
}

/** What most of the new objects hang on, where a run looked for it. */
function mainRetainer({ signals: { retainers = [] } }: SignalView): Retainer | undefined {
  const [first] = retainers;
  return first !== undefined && first.share >= RETAINER_SHARE ? first : undefined;
}

function holderText({ container, path, location }: Retainer): string {
  const where = location === undefined ? '' : ` (${fileOf(location)}:${location.line})`;
  if (path === '') return `an object of class ${container} without a name`;
  return container === 'variable' ? `the variable ${path}${where}` : `${path}${where}, of class ${container}`;
}

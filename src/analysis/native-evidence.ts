/** What the samples of native code add to a finding about an operation whose work is native. */
import type { Evidence } from '../model/finding.js';
import type { NativeFamily } from '../model/signals.js';
import { formatShare } from '../units.js';
import type { SignalView } from './signal-view.js';

/** Less may be a few samples. */
const LEAST_SHARE = 0.02;

const WORK = {
  regexp: 'running regular expressions',
  json: 'reading and writing JSON',
  zlib: 'compressing and decompressing',
  crypto: 'cryptography',
  megamorphic: 'V8’s look-up of properties by name, which objects of many shapes need',
} as const satisfies Partial<Record<NativeFamily, string>>;

/**
 * The thread's CPU time in native functions of one family, with the function that has most of it. Empty where native
 * code was not sampled, and where there is too little to speak of. It supports a finding and makes none: the family
 * is of the whole thread, not of the finding's place.
 */
export function nativeEvidence(view: SignalView, family: keyof typeof WORK): Evidence[] {
  const [first] = rowsOf(view, family);
  const share = nativeShare(view, family) ?? 0;
  if (first === undefined || share < LEAST_SHARE) return [];
  return [
    {
      metric: 'native.share',
      value: share,
      unit: 'ratio',
      statement: `${formatShare(share)} of the thread’s CPU time went into native code for ${WORK[family]}, most of it in ${first.name}.`,
    },
  ];
}

/** Part of the thread's CPU time in native functions of one family, 0 to 1; undefined where none were sampled. */
export function nativeShare(view: SignalView, family: NativeFamily): number | undefined {
  if (view.signals.nativeFunctions === undefined || view.signals.nativeFunctions.length === 0)
    return undefined;
  return rowsOf(view, family).reduce((sum, row) => sum + row.share, 0);
}

function rowsOf({ signals: { nativeFunctions = [] } }: SignalView, family: NativeFamily) {
  return nativeFunctions.filter((row) => row.family === family);
}

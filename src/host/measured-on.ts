/**
 * Where something was measured: it counts only there. Another host, another Node and another version of this library each
 * measure something else, and a choice from elsewhere is a guess that looks like evidence (FFTW's wisdom, Frigo &
 * Johnson 2005, is kept by the same rule).
 */
import type { MeasuredOn } from '../model/config.js';

/** Why what was measured `there` does not count `here`, as the end of a sentence; null where it does. */
export function differenceBetween(there: Partial<MeasuredOn>, here: MeasuredOn): string | null {
  if (there.hostId !== here.hostId) return 'it was measured on another host';
  if (there.node !== here.node) return `it was measured with Node ${there.node ?? 'of an unknown version'}`;
  if (there.library === here.library) return null;
  return `it was measured with version ${there.library ?? 'unknown'} of this package`;
}

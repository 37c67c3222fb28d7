/**
 * What each variant uses at each size that was raced: a report beside the choice, which never changes it, so that it
 * gets a share of the time and no more.
 */
import { SideThrew } from '../validation/batch.js';
import { settled, Unsettled } from './checked-call.js';
import { contender } from './cost.js';
import type { FoundChoice, SearchContext } from './find-choice.js';
import type { SizedUse } from './plan.js';
import { resourceUse } from './resources.js';
import type { Variant } from './variants.js';

/** Of promises: nothing that takes part takes so long. */
const MAX_MEASURING_MS = 30_000;

/** What each variant uses at each size, as far as the time reaches: until `endMs` on the clock of `performance.now`. */
export async function resourcesOf(
  measured: FoundChoice['measured'],
  variants: readonly Variant[],
  {
    asynchronous,
    overheadBytes,
    measure,
    endMs,
  }: Pick<SearchContext, 'asynchronous' | 'overheadBytes' | 'measure'> & { readonly endMs: number },
): Promise<SizedUse[]> {
  const uses: SizedUse[] = [];
  // Greatest sizes first: what is used there matters most where the time ends before all are done.
  for (const { size, sizeClass, standings } of [...measured].reverse()) {
    for (const { variant: name, cost } of standings) {
      if (performance.now() >= endMs) return uses;
      const variant = variants.find((each) => each.name === name);
      if (!variant) continue;
      const of = contender(variant, sizeClass.inputs, asynchronous);
      const timeNs = measure.objective === 'time' ? cost : undefined;
      try {
        const use = await settled(resourceUse(of, timeNs, overheadBytes), MAX_MEASURING_MS);
        uses.push({ size, variant: name, use });
      } catch (error) {
        // One that throws now and then, or no longer settles its promises: it is left out of the report. The validation
        // says what it is about.
        if (!(error instanceof SideThrew || error instanceof Unsettled)) throw error;
      }
    }
  }
  return uses;
}

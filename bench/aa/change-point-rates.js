// How well change points are found in series made by resampling measured ratios.
import { findChangePoints } from '../../dist/validation/change-points.js';

const LENGTH = 48;
const STEP = 1.03;

/** One paragraph with the rates over `count` series of each kind. */
export function changePointRates(ratios, count) {
  const draw = () => Array.from({ length: LENGTH }, () => ratios[Math.floor(Math.random() * ratios.length)]);
  const near = (changes, index) => changes.some((change) => Math.abs(change.index - index) <= 3);
  let located = 0;
  let atOnce = 0;
  let wrong = 0;
  for (let i = 0; i < count; i += 1) {
    if (findChangePoints(draw()).length > 0) wrong += 1;
    const index = 12 + Math.floor(Math.random() * 24);
    const stepped = draw().map((ratio, k) => (k < index ? ratio : ratio * STEP));
    if (near(findChangePoints(stepped), index)) located += 1;
    // As monitoring sees it: only three points after the step are there yet.
    if (near(findChangePoints(stepped.slice(0, index + 3)), index)) atOnce += 1;
  }
  const share = (hits) => `${hits} of ${count} (${((100 * hits) / count).toFixed(1)} %)`;
  return (
    `Change points, series of ${LENGTH} resampled from ${ratios.length} measured ratios: a 3 % step located within ` +
    `3 points in ${share(located)}, seen with only 3 points after it in ${share(atOnce)}; ` +
    `a point named without a step in ${share(wrong)}.`
  );
}

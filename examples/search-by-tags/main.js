/**
 * A search by two tags that lets this machine choose how lists are intersected: `node main.js [--budget 20]` (seconds).
 * The choice is kept in a file as wisdom, as a service would take it along in its image.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { computation, exportWisdom, importWisdom, SystemOptimizer } from 'system-optimizer';
import { bisect, merge, withSet } from './intersections.js';

const { values: flags } = parseArgs({ options: { budget: { type: 'string', default: '20' } } });

/** Every step-th of 200,000 articles has the tag. */
const tagged = (step) => Array.from({ length: Math.floor(200_000 / step) }, (_, i) => i * step);
const index = { news: tagged(2), sport: tagged(3), chess: tagged(1_000), endgame: tagged(7_001) };

const intersect = computation({
  name: 'intersect',
  variants: { withSet, merge, bisect },
  // How much longer the second list is decides which way is best; inputs are what the service is asked.
  size: (few, many) => Math.round(many.length / few.length),
  inputs: [
    { args: [index.sport, index.news] },
    { args: [index.chess, index.news] },
    { args: [index.endgame, index.news] },
  ],
});

function search(first, second) {
  const [few, many] = [index[first], index[second]].sort((a, b) => a.length - b.length);
  return intersect.dispatch(few, many);
}

const folder = mkdtempSync(join(tmpdir(), 'search-by-tags-'));
const optimizer = new SystemOptimizer({ storagePath: folder });
try {
  optimizer.register(intersect);
  const { status, validation } = await optimizer.optimizeComputation({
    subject: 'intersect',
    budgetMs: Number(flags.budget) * 1_000,
  });
  console.log(`status: ${status}`);
  if (validation) console.log(`cost of the new choice over the old one's: ${validation.ratio.toFixed(3)}`);
  for (const { maxSize, variant } of intersect.choice.bySize) {
    console.log(`${maxSize === null ? 'else' : `second list up to ${maxSize} times longer`}: ${variant}`);
  }

  const file = join(folder, 'wisdom.json');
  writeFileSync(file, JSON.stringify(exportWisdom([intersect])));
  // At the start of the next process:
  const { applied } = importWisdom(JSON.parse(readFileSync(file, 'utf8')), [intersect]);
  console.log(`taken from wisdom: ${applied.join(', ')}`);

  console.log(`chess and news: ${search('chess', 'news').length}`);
  console.log(`sport and news: ${search('sport', 'news').length}`);
} finally {
  await optimizer.close();
  rmSync(folder, { recursive: true, force: true });
}

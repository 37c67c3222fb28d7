/**
 * Which way is the fastest here? Top-k, string search, a field out of JSON, LRU caches, sorted sets, nearest neighbours, CSV,
 * distinct ids: each in several ways, those of public packages included, optimised as a service would.
 *
 *   node examples/choose-an-algorithm/main.js top-k [--budget 20]     (seconds)
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SystemOptimizer } from 'system-optimizer';

const CASES = ['top-k', 'string-search', 'json-field', 'lru', 'intersection', 'nearest', 'csv', 'dedupe'];
const {
  values: { budget },
  positionals: [name],
} = parseArgs({ options: { budget: { type: 'string', default: '20' } }, allowPositionals: true });
if (!CASES.includes(name)) {
  console.error(`Give one of ${CASES.join(', ')}.`);
  process.exit(2);
}

// The variants and their inputs are those that `npm run bench:real-cases` times against each other.
const { default: request } = await import(`../../bench/real-cases/${name}.js`);
const folder = mkdtempSync(join(tmpdir(), 'choose-'));
const optimizer = new SystemOptimizer({ storagePath: folder });
try {
  const { status, choices, dispatch, validation } = await optimizer.optimizeComputation({
    ...request,
    budgetMs: Number(budget) * 1_000,
  });
  console.log(`${request.name}: ${status}`);
  if (validation) {
    const [low, high] = validation.interval ?? [validation.ratio, validation.ratio];
    console.log(
      `the choice takes ${validation.ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}) of the first variant’s time`,
    );
  }
  for (const { size, variant, indistinguishable } of choices) {
    const ties = indistinguishable.filter((other) => other !== variant);
    console.log(`size ${size}: ${variant}${ties.length > 0 ? ` (as fast: ${ties.join(', ')})` : ''}`);
  }
  // From here on it is a function like any other.
  const input = request.inputs(request.sizes[0]);
  console.log(`dispatch gives ${typeof dispatch(input)}`);
} finally {
  await optimizer.close();
  rmSync(folder, { recursive: true, force: true });
}

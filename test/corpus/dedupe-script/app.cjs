'use strict';
// A script: all of its work is done while it is loaded.
const rows = Array.from({ length: 60_000 }, (_, i) => ({ key: `k${(i * 7919) % 50_000}`, n: i }));
function dedupe(list) {
  const kept = [];
  for (const row of list) {
    if (kept.findIndex((other) => other.key === row.key) < 0) kept.push(row);
  }
  return kept;
}
process.stdout.write(`${dedupe(rows).length}\n`);

/** Tests inside the guest: no framework, since its root is an archive in memory. A line a test, exit code 1 on failure. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { openCounters } from '../dist/counters/counter-group.js';

export { assert };

/** `spin(n)` executes 2 n instructions, and some that calling it costs. */
export const { spin } = createRequire(import.meta.url)('../build/spin.node');

const open = new Set();

/** Counters that are closed when the test ends: others would have to share the processor's with them. */
export function track(options) {
  const counters = openCounters(options);
  open.add(counters);
  return counters;
}

export async function test(name, fn) {
  try {
    await fn();
    console.log(`ok      ${name}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`FAILED  ${name}\n        ${String(error.message).replaceAll('\n', '\n        ')}`);
  } finally {
    for (const counters of open) counters.close();
    open.clear();
  }
}

/** Every value is a finite count or has a reason with a sentence and a remedy; nothing is NaN, nothing a false 0. */
export function assertHonest({ values, derived }, mustCount) {
  for (const [name, value] of Object.entries(values)) {
    if (value.available)
      assert.ok(Number.isFinite(value.value) && value.value >= 0, `${name} is ${value.value}`);
    else assert.ok(value.reason && value.message && value.remedy, `${name} is missing without a reason`);
  }
  for (const [name, figure] of Object.entries(derived)) {
    if (figure.available) assert.ok(Number.isFinite(figure.value), `${name} is ${figure.value}`);
    else assert.ok(figure.reason && figure.remedy, `${name} is missing without a reason`);
  }
  for (const name of mustCount) {
    assert.ok(values[name]?.available && values[name].value > 0, `${name}: ${JSON.stringify(values[name])}`);
  }
}

import { describe, expect, it } from 'vitest';
import { ENVIRONMENT_CAUSES } from '../../dist/analysis/rule.js';
import { runCase } from './score.js';

/**
 * A part of the corpus, each case once and briefly; `npm run corpus:score` runs all of it at full length. A
 * crowded host blurs short profiles, so a case may be run again.
 */
const CASES = [
  'sync-cpu-report',
  'sync-cpu-inlined',
  'json-parse',
  'regexp-literal',
  'sync-fs-read',
  'sync-child-process',
  'sync-crypto',
  'sync-zlib',
  'exception-storm',
  'allocation-churn',
  'megamorphic-access',
  'microtask-flood',
  'timer-flood',
  'heap-leak',
  'external-leak',
  'healthy-idle',
  'healthy-service',
  'healthy-cache',
  'healthy-startup',
];
const WINDOW_MS = 2000;
const WARM_UP_MS = 500;

describe('corpus', { retry: 2 }, () => {
  it.each(CASES)('%s', async (name) => {
    const { truth, analysis } = await runCase(name, WINDOW_MS, WARM_UP_MS);
    const findings = analysis.findings.filter(({ cause }) => !ENVIRONMENT_CAUSES.has(cause));
    const named = findings.map(({ cause, location }) => `${cause} ${location?.function ?? ''}`.trim());
    expect(named[0]).toBe(`${truth.cause} ${truth.function ?? ''}`.trim());
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadNative } from '../../dist/native/load.js';

const source = fileURLToPath(new URL('../fixtures/seccomp-errno.c', import.meta.url));
const counters = new URL('../../dist/counters/counter-group.js', import.meta.url).href;
const native = new URL('../../dist/native/load.js', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'sysopt-filter-'));
const filter = join(folder, 'seccomp-errno');

/** Whether programs can be run under a filter here: a C compiler, Linux, and a kernel that takes filters. */
function canFilter(): boolean {
  if (process.platform !== 'linux' || loadNative().implementation !== 'addon') return false;
  const built = spawnSync('cc', ['-O1', '-o', filter, source]);
  return built.status === 0 && spawnSync(filter, ['1', 'true']).status === 0;
}

const PROGRAM = `
  import { openCounters } from '${counters}';
  import { loadNative } from '${native}';
  const group = openCounters();
  const { counters } = group.measure(() => Array.from({ length: 1000 }, Math.sqrt).length);
  group.close();
  const { softwareCounters, hardwareCounters, threadClock } = loadNative().capabilities();
  console.log(JSON.stringify({ counters, softwareCounters, hardwareCounters, threadClock }));
`;

describe.runIf(canFilter())('counters behind a system call filter', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['EPERM, as Docker answers', '1'],
    ['ENOSYS, as podman answers', '38'],
  ])('say that it is the filter: %s', (_name, errno) => {
    const output = execFileSync(filter, [errno, process.execPath, '--input-type=module', '--eval', PROGRAM], {
      encoding: 'utf8',
    });
    const { counters: counted, softwareCounters, hardwareCounters, threadClock } = JSON.parse(output);
    const refusals = Object.values<{ reason: string; remedy: string }>(counted.values);
    expect(refusals.length).toBeGreaterThan(20);
    for (const { reason, remedy } of refusals) {
      expect(reason).toBe('FILTERED');
      expect(remedy).toMatch(/seccomp/);
    }
    for (const figure of Object.values<{ reason: string }>(counted.derived)) {
      expect(figure).toMatchObject({ available: false, reason: 'FILTERED' });
    }
    expect([softwareCounters.reason, hardwareCounters.reason]).toEqual(['FILTERED', 'FILTERED']);
    expect(threadClock.available).toBe(true);
  });
});

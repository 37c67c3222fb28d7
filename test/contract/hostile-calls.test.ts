import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('hostile-calls.js', import.meta.url));

describe.each(['addon', 'fallback'])('wrong calls to the %s', (implementation) => {
  it('are refused with a documented error and never crash the process', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [script], {
      env: { ...process.env, SYSOPT_NATIVE: implementation },
      timeout: 50_000,
    });
    const outcome = JSON.parse(stdout) as {
      implementation: string;
      calls: number;
      refused: number;
      wrong: string[];
      untested: string[];
    };
    expect(outcome.implementation).toBe(implementation);
    expect(outcome.wrong).toEqual([]);
    expect(outcome.untested).toEqual([]);
    expect(outcome.calls).toBeGreaterThan(3000);
    expect(outcome.refused).toBeGreaterThan(outcome.calls / 2);
  });
});

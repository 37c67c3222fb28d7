// Every harness as one function: (workload, workA, workB) → { ratio, claim, seconds }, where claim is
// 'faster', 'slower' or 'none', of b against a.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compare } from '../../dist/validation/compare.js';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const MARGIN = 0.01;

export const HARNESSES = {
  'system-optimizer': async (workload, workA, workB) => {
    const side = (work, label) => ({
      module: join(here, 'workloads.js'),
      export: workload,
      args: [work],
      factory: true,
      label,
    });
    const result = await compare(side(workA, 'a'), side(workB, 'b'), { checkResults: false });
    const { verdict, ratio, replicateRatios } = result;
    const claim = verdict === 'faster' || verdict === 'slower' ? verdict : 'none';
    return { ratio, claim, verdict, replicateRatios };
  },
  mitata: (...settings) => rival('mitata', ...settings),
  tinybench: (...settings) => rival('tinybench', ...settings),
  'vitest bench': vitestBench,
};

async function rival(harness, workload, workA, workB) {
  const args = [join(here, 'rival.js'), harness, workload, String(workA), String(workB)];
  const { stdout } = await run(process.execPath, args);
  const { ratio, claims } = JSON.parse(stdout.trim().split('\n').at(-1));
  return { ratio, claim: claimOf(ratio, claims) };
}

/** Its summary ranks by operations per second: "b 1.04x faster than a". */
async function vitestBench(workload, workA, workB) {
  const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '..', 'vitest.mjs');
  const folder = await mkdtemp(join(tmpdir(), 'vitest-bench-'));
  try {
    const out = join(folder, 'out.json');
    const args = [vitest, 'bench', '--run', '--root', here, '--outputJson', out];
    await run(process.execPath, args, {
      cwd: here,
      env: { ...process.env, AA_WORKLOAD: workload, AA_WORK_A: String(workA), AA_WORK_B: String(workB) },
    });
    const { files } = JSON.parse(await readFile(out, 'utf8'));
    const { benchmarks } = files[0].groups[0];
    const hz = (name) => benchmarks.find((benchmark) => benchmark.name === name).hz;
    const ratio = hz('a') / hz('b');
    return { ratio, claim: claimOf(ratio, Math.abs(Math.log(ratio)) > MARGIN) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function claimOf(ratio, claims) {
  if (!claims) return 'none';
  return ratio < 1 ? 'faster' : 'slower';
}

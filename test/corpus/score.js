/**
 * Runs the corpus: profiles each program through the agent, as the command line does, and counts how often the
 * first finding names the true cause and the true function.
 *
 *   node test/corpus/score.js [--duration 4] [--json] [case …]
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { analyse } from '../../dist/analysis/analyse.js';
import { ENVIRONMENT_CAUSES } from '../../dist/analysis/rule.js';
import { listenForAgents } from '../../dist/profiling/controller.js';

const directory = import.meta.dirname;
/** Time for the program to start and warm up before the window begins. */
const WARM_UP_MS = 700;

export function caseNames() {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Profiles one case and returns its truth beside the analysis. */
export async function runCase(name, durationMs, warmUpMs = WARM_UP_MS) {
  const truth = JSON.parse(readFileSync(join(directory, name, 'case.json'), 'utf8'));
  const server = await listenForAgents();
  const child = spawn(process.execPath, [...(truth.flags ?? []), join(directory, name, 'app.js')], {
    env: { ...process.env, ...server.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  try {
    const agent = await server.waitForAgent(10_000);
    await new Promise((resolve) => setTimeout(resolve, warmUpMs));
    const signals = await agent.profile(truth.type, { durationMs });
    return { name, truth, signals, analysis: analyse(signals) };
  } finally {
    child.kill();
    await exited;
    await server.close();
  }
}

/** What others do to the host while the corpus runs is true, but not what the cases are about. */
function ofProgram({ truth, analysis }) {
  if (ENVIRONMENT_CAUSES.has(truth.cause)) return analysis.findings;
  return analysis.findings.filter(({ cause }) => !ENVIRONMENT_CAUSES.has(cause));
}

/** Whether the findings name the truth: its cause first, its function (or functions) and a line in it. */
export function judge({ truth, analysis }) {
  const findings = ofProgram({ truth, analysis });
  const [first] = findings;
  const cause = first.cause === truth.cause;
  const wanted = truth.functions ?? (truth.function === undefined ? [] : [truth.function]);
  const ofCause = findings
    .filter((finding) => finding.cause === truth.cause)
    .slice(0, Math.max(1, wanted.length));
  const named = wanted.filter((name) => ofCause.some(({ location }) => location?.function === name));
  const line = first.location?.line;
  return {
    cause,
    function: wanted.length === 0 ? undefined : named.length === wanted.length,
    line: truth.lines === undefined ? undefined : line >= truth.lines[0] && line <= truth.lines[1],
  };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { duration: { type: 'string', default: '4' }, json: { type: 'boolean', default: false } },
  });
  const names = positionals.length > 0 ? positionals : caseNames();
  const rows = [];
  for (const name of names) {
    const run = await runCase(name, Number(values.duration) * 1000).catch((error) =>
      console.error(`${name}: ${error.message}`),
    );
    if (run === undefined) continue;
    const verdict = judge(run);
    const [first, ...others] = ofProgram(run);
    rows.push({
      case: name,
      load: run.truth.load,
      truth: run.truth.cause,
      found: first.cause,
      confidence: first.confidence,
      location: first.location ?? null,
      others: others.map(({ cause, location }) => `${cause}${location ? ` ${location.function}` : ''}`),
      ...verdict,
    });
    if (!values.json) print(rows.at(-1));
  }
  const rate = (key) => {
    const judged = rows.filter((row) => row[key] !== undefined);
    return { right: judged.filter((row) => row[key]).length, of: judged.length };
  };
  const healthy = rows.filter(({ truth }) => truth === 'healthy' || truth === 'saturated');
  const score = {
    cause: rate('cause'),
    function: rate('function'),
    line: rate('line'),
    healthyCalledSick: healthy.filter(({ found }) => found !== 'healthy' && found !== 'saturated').length,
  };
  if (values.json) console.log(JSON.stringify({ score, rows }));
  else {
    for (const key of ['cause', 'function', 'line']) {
      console.log(`${key.padEnd(9)} ${score[key].right} of ${score[key].of}`);
    }
    console.log(
      `healthy or merely saturated programs called sick: ${score.healthyCalledSick} of ${healthy.length}`,
    );
  }
}

function print(row) {
  const sign = row.cause && row.function !== false ? 'ok   ' : 'WRONG';
  const place = row.location === null ? '' : `${row.location.function}:${row.location.line}`;
  console.log(
    `${sign} ${row.case.padEnd(24)} ${row.load.padEnd(10)} ${row.found.padEnd(20)} ${row.confidence.toFixed(2)} ${place.padEnd(22)} ${row.others.join(', ')}`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main();

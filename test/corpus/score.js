/**
 * Runs the corpus: profiles each program through the agent, as the command line does, and counts how often the
 * first finding names the true cause and the true function, for either half of the corpus.
 *
 *   node test/corpus/score.js [--half development|held-out] [--duration 4] [--json]
 *     [--load low|saturating] [--resume results.ndjson] [--budget seconds] [case …]
 *
 * The halves (`half` in `case.json`): rules are developed on the one; the other is only ever scored here. A case of
 * the held-out half that has been used to mend a rule belongs to the development half from then on.
 * `--load` runs the cases that name that load in `loads`, each at the rate given there, and with another truth where it
 * changes with the load: a healthy program that is asked for all it can do is saturated.
 * `--resume` appends a line a case to a file and skips the cases that are in it, `--budget` stops in time, so that
 * a score can be gathered in pieces on a machine that is not ours for long.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { analyse } from '../../dist/analysis/analyse.js';
import { ENVIRONMENT_CAUSES } from '../../dist/analysis/rule.js';
import { testCause } from '../../dist/facade/cause-experiment.js';
import { confinement, script } from './environment.js';
import { endStarted, profileEvenBlocked } from '../../dist/profiling/attach/blocked-agent.js';
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

export function readTruth(name) {
  const truth = JSON.parse(readFileSync(join(directory, name, 'case.json'), 'utf8'));
  return { half: 'development', entry: 'app.js', ...truth };
}

/** The truth of a case at one of its other loads; undefined where it names none of that name. */
export function truthAt(name, load) {
  const { loads, ...truth } = readTruth(name);
  return loads?.[load] === undefined ? undefined : { ...truth, load, ...loads[load] };
}

/**
 * Profiles one case, or runs its experiment, and returns its truth beside the analysis.
 *
 * @param truth the case's own where it is left out; see `truthAt`.
 */
export async function runCase(name, durationMs, warmUpMs = WARM_UP_MS, truth = readTruth(name)) {
  return truth.experiment === undefined
    ? profileCase(name, truth, durationMs, warmUpMs)
    : experimentCase(name, truth);
}

/** @type {import('../../dist/model/finding.js').Finding} */
const RULED_OUT = {
  cause: 'healthy',
  severity: 'info',
  confidence: 1,
  title: 'The experiment ruled its cause out',
  evidence: [],
  ruledOut: [],
};

async function experimentCase(name, truth) {
  const { cause = truth.cause, ...subject } = truth.experiment;
  const module = join(directory, name, truth.entry);
  const { finding } = await testCause(cause, { module, ...subject }, { maxProcesses: 12, timeoutMs: 60_000 });
  const findings = finding === null ? [RULED_OUT] : [finding];
  return { name, truth, analysis: { findings } };
}

async function profileCase(name, truth, durationMs, warmUpMs) {
  // As `sysopt profile -- node app.js` does without --url.
  const fromStart = truth.fromStart === true ? { type: truth.type, durationMs } : undefined;
  const server = await listenForAgents(fromStart);
  const group = truth.cgroup === undefined ? null : confinement(truth.cgroup);
  const plain = [process.execPath, ...(truth.flags ?? []), join(directory, name, truth.entry)];
  const isEnteredFirst = truth.cgroup?.memoryBytes !== undefined;
  const [command, ...args] = isEnteredFirst ? group.wrap(plain) : plain;
  const child = spawn(command, args, {
    env: {
      ...process.env,
      ...server.env,
      ...(truth.ratePerSecond === undefined ? {} : { CORPUS_RATE_PER_SECOND: String(truth.ratePerSecond) }),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  try {
    const agent = await server.waitForAgent(10_000);
    if (!isEnteredFirst) group?.enter(child.pid);
    if (fromStart !== undefined) {
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, durationMs))]);
      const signals = await endStarted(agent, new AbortController().signal);
      return { name, truth, signals, analysis: analyse(signals) };
    }
    await new Promise((resolve) => setTimeout(resolve, warmUpMs));
    const measured = await profileEvenBlocked(agent, truth.type, { durationMs });
    const signals = truth.scripted === undefined ? measured : script(measured, truth.scripted);
    return { name, truth, signals, analysis: analyse(signals) };
  } finally {
    child.kill();
    await exited;
    await group?.remove();
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
  const { file = truth.entry } = truth;
  const line = first.location?.file.endsWith(`/${file}`) ? first.location.line : Number.NaN;
  return {
    cause,
    function: wanted.length === 0 ? undefined : named.length === wanted.length,
    line: truth.lines === undefined ? undefined : line >= truth.lines[0] && line <= truth.lines[1],
  };
}

async function scoreCase(name, durationMs, load) {
  const truth = load === undefined ? readTruth(name) : truthAt(name, load);
  const run = await runCase(name, durationMs, WARM_UP_MS, truth);
  const [first, ...others] = ofProgram(run);
  return {
    case: name,
    half: run.truth.half,
    load: run.truth.load,
    truth: run.truth.cause,
    found: first.cause,
    confidence: first.confidence,
    location: first.location ?? null,
    others: others.map(({ cause, location }) => `${cause}${location ? ` ${location.function}` : ''}`),
    ...judge(run),
  };
}

/** What the rows come to: how many of those judged are right, by key. */
export function tally(rows) {
  const rate = (key) => {
    const judged = rows.filter((row) => row[key] !== undefined);
    return { right: judged.filter((row) => row[key]).length, of: judged.length };
  };
  const wellOff = ({ cause }) => cause === 'healthy' || cause === 'saturated';
  const healthy = rows.filter(({ truth }) => wellOff({ cause: truth }));
  return {
    cause: rate('cause'),
    function: rate('function'),
    line: rate('line'),
    healthyCalledSick: {
      right: healthy.filter(({ found }) => !wellOff({ cause: found })).length,
      of: healthy.length,
    },
  };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      duration: { type: 'string', default: '4' },
      half: { type: 'string' },
      load: { type: 'string' },
      resume: { type: 'string' },
      budget: { type: 'string', default: 'Infinity' },
      json: { type: 'boolean', default: false },
    },
  });
  const stopAt = performance.now() + Number(values.budget) * 1000;
  const rows = [];
  if (values.resume !== undefined && existsSync(values.resume)) {
    for (const line of readFileSync(values.resume, 'utf8').trim().split('\n')) rows.push(JSON.parse(line));
  }
  const names = (positionals.length > 0 ? positionals : caseNames())
    .filter((name) => values.half === undefined || readTruth(name).half === values.half)
    .filter((name) => values.load === undefined || truthAt(name, values.load) !== undefined)
    .filter(
      (name) => !rows.some((row) => row.case === name && (values.load ?? readTruth(name).load) === row.load),
    );
  for (const [index, name] of names.entries()) {
    if (performance.now() > stopAt) {
      console.error(`stopped by --budget with ${names.length - index} cases to come`);
      break;
    }
    const row = await scoreCase(name, Number(values.duration) * 1000, values.load).catch((error) =>
      console.error(`${name}: ${error.message}`),
    );
    if (row === undefined) continue;
    rows.push(row);
    if (values.resume !== undefined) appendFileSync(values.resume, `${JSON.stringify(row)}\n`);
    if (!values.json) print(row);
  }
  const halves = ['development', 'held-out'].filter((half) => rows.some((row) => row.half === half));
  const score = Object.fromEntries(
    halves.map((half) => [half, tally(rows.filter((row) => row.half === half))]),
  );
  if (values.json) console.log(JSON.stringify({ score, rows }));
  else for (const half of halves) printScore(half, score[half]);
}

function printScore(half, score) {
  console.log(`\n${half} half`);
  const label = {
    cause: 'cause named',
    function: 'function named',
    line: 'line within',
    healthyCalledSick: 'healthy or merely saturated called sick',
  };
  for (const [key, { right, of }] of Object.entries(score)) {
    console.log(`  ${label[key].padEnd(40)} ${right} of ${of}`);
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

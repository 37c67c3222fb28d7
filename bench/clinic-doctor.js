/**
 * clinic doctor on the corpus: the same programs and loads, its own collection and its own analysis, beside the
 * answers that `npm run corpus:score -- --resume FILE` wrote.
 *
 *   node bench/clinic-doctor.js [--ours corpus.ndjson] [--resume doctor.ndjson] [--budget seconds] [case …]
 *
 * Doctor knows four labels (I/O, event loop, garbage collection, and none for a healthy program; it calls the rest
 * `unknown`). Its answer counts as right where the label is the one that covers the true cause, however widely
 * that is taken; causes that no label covers are left out. `data` is its word for too little data, which is counted as
 * no answer, neither right nor wrong. It names no functions. It is installed on demand into a
 * temporary folder (100 MB), not into this package, and runs on Node up to 21.6.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { caseNames, readTruth } from '../test/corpus/score.js';

const VERSION = '11.0.0';
const HOME = join(tmpdir(), `sysopt-clinic-doctor-${VERSION}`);
const CORPUS = join(import.meta.dirname, '../test/corpus');
/** Twice our own window with its warm-up: in less, doctor often finds too little data to say anything. */
const RUN_MS = 10_000;

const LABELS = {
  'event-loop': [
    ...['sync-cpu', 'json-processing', 'regexp-backtracking', 'sync-fs', 'sync-child-process', 'sync-crypto'],
    ...['sync-zlib', 'exception-storm', 'megamorphic-access', 'deoptimisation-loop', 'timer-flood'],
    ...['microtask-flood', 'fresh-page-faults', 'saturated'],
  ],
  gc: [
    'allocation-churn',
    'heap-near-limit',
    'heap-leak',
    'external-leak',
    'listener-leak',
    'heap-fragmentation',
  ],
  io: [
    ...[
      'threadpool-saturation',
      'slow-downstream',
      'serial-awaits',
      'no-keep-alive',
      'slow-dns',
      'disk-iowait',
    ],
    ...['descriptor-exhaustion', 'backpressure-ignored'],
  ],
  none: ['healthy'],
};

function labelOf(cause) {
  return Object.keys(LABELS).find((label) => LABELS[label].includes(cause));
}

function install() {
  if (existsSync(join(HOME, 'node_modules/@clinic/doctor'))) return;
  mkdirSync(HOME, { recursive: true });
  const args = ['install', '--prefix', HOME, '--no-audit', '--no-fund', '--ignore-scripts'];
  const { status, stderr } = spawnSync('npm', [...args, `@clinic/doctor@${VERSION}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm could not install @clinic/doctor@${VERSION}:\n${stderr}`);
}

/** Collects as `clinic doctor -- node app.js` does, ended by Ctrl+C. */
async function collect(name, folder, doctorFolder) {
  const truth = readTruth(name);
  const env = {
    ...process.env,
    NODE_PATH: join(doctorFolder, 'injects'),
    NODE_OPTIONS: '-r no-cluster.js -r sampler.js --trace-events-enabled --trace-event-categories v8',
    NODE_CLINIC_DOCTOR_SAMPLE_INTERVAL: '10',
    NODE_CLINIC_DOCTOR_TIMEOUT_DELAY: '0',
    NODE_CLINIC_DOCTOR_COLLECT_LOOP_UTILIZATION: 'true',
    NODE_CLINIC_DOCTOR_DATA_PATH: folder,
    NODE_CLINIC_DOCTOR_NAME: 'case',
  };
  const child = spawn(process.execPath, [...(truth.flags ?? []), join(CORPUS, name, truth.entry)], {
    env,
    cwd: folder,
    stdio: 'ignore',
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, RUN_MS))]);
  child.kill('SIGINT');
  const kill = setTimeout(() => child.kill('SIGKILL'), 4000);
  await exited;
  clearTimeout(kill);
}

async function diagnose(name, require, doctorFolder) {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  try {
    await collect(name, folder, doctorFolder);
    const { createReadStream } = require('node:fs');
    const part = (file) => require(join(doctorFolder, file));
    const pumpify = require('pumpify');
    const Analysis = part('analysis/index.js');
    const Decoders = ['system-info', 'trace-event', 'process-stat'].map((each) =>
      part(`format/${each}-decoder.js`),
    );
    const [SystemInfo, TraceEvent, ProcessStat] = Decoders;
    const joinTrace = require('@clinic/node-trace-log-join');
    const paths = require('@clinic/clinic-common').getLoggingPaths('doctor')({
      identifier: 'case',
      path: folder,
    });
    const logs = readdirSync(folder).filter((file) => /^node_trace\..*\.log$/.test(file));
    if (logs.length === 0 || !existsSync(paths['/processstat'])) return 'no answer';
    await new Promise((resolve, reject) => {
      joinTrace(join(folder, 'node_trace.*.log'), paths['/traceevent'], (error) =>
        error ? reject(error) : resolve(),
      );
    });
    const system = pumpify.obj(createReadStream(paths['/systeminfo']), new SystemInfo());
    const events = pumpify.obj(createReadStream(paths['/traceevent']), new TraceEvent(system));
    const stats = pumpify.obj(createReadStream(paths['/processstat']), new ProcessStat());
    const analysis = new Analysis(system, events, stats);
    const answer = await new Promise((resolve, reject) => {
      analysis.once('data', resolve).once('error', reject);
      setTimeout(() => reject(new Error('no answer within 20 s')), 20_000).unref();
    });
    return answer.issueCategory;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readRows(file) {
  if (file === undefined || !existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ours: { type: 'string' },
    resume: { type: 'string' },
    budget: { type: 'string', default: 'Infinity' },
  },
});
install();
const require = createRequire(join(HOME, 'package.json'));
const doctorFolder = join(HOME, 'node_modules/@clinic/doctor');
const ours = new Map(readRows(values.ours).map((row) => [row.case, row]));
const rows = readRows(values.resume);
const stopAt = performance.now() + Number(values.budget) * 1000;
const isFair = (truth) =>
  labelOf(truth.cause) !== undefined && truth.experiment === undefined && truth.scripted === undefined;
const names = (positionals.length > 0 ? positionals : caseNames())
  .filter((name) => isFair(readTruth(name)))
  .filter((name) => !rows.some((row) => row.case === name));
for (const [index, name] of names.entries()) {
  if (performance.now() > stopAt) {
    console.error(`stopped by --budget with ${names.length - index} cases to come`);
    break;
  }
  const { cause } = readTruth(name);
  const doctor = await diagnose(name, require, doctorFolder).catch((error) => `failed: ${error.message}`);
  const row = { case: name, cause, label: labelOf(cause), doctor };
  rows.push(row);
  if (values.resume !== undefined) appendFileSync(values.resume, `${JSON.stringify(row)}\n`);
  console.log(`${name.padEnd(24)} ${cause.padEnd(24)} ${row.label.padEnd(11)} doctor: ${doctor}`);
}

const sick = rows.filter(({ label }) => label !== 'none');
const healthy = rows.filter(({ label }) => label === 'none');
const right = ({ label, doctor }) => label === doctor;
const answered = ({ doctor }) => ['event-loop', 'gc', 'io', 'none', 'unknown'].includes(doctor);
const silent = (of) => of.filter((row) => !answered(row)).length;
console.log(
  `\nclinic doctor ${VERSION}: right label for ${sick.filter(right).length} of ${sick.length} pathologies, no answer for ${silent(sick)}`,
);
console.log(
  `healthy programs called sick: ${healthy.filter((row) => answered(row) && !right(row)).length} of ${healthy.length}, ` +
    `no answer for ${silent(healthy)}`,
);
if (ours.size > 0) {
  const both = rows.filter((row) => ours.has(row.case));
  const named = both.filter((row) => row.label !== 'none' && ours.get(row.case).cause);
  console.log(
    `this package on the same: right cause for ${named.length} of ${both.filter(({ label }) => label !== 'none').length}, ` +
      `healthy called sick ${both.filter((row) => row.label === 'none' && ours.get(row.case).found !== 'healthy').length} ` +
      `of ${both.filter(({ label }) => label === 'none').length}`,
  );
}
process.exit(0);

/**
 * npm run verify:profiling [-- --minutes 10 --cycle 5]: a service under load is profiled again and again, each time
 * by a new profiler and with all five types in turn; its memory must stay flat and its descriptors the same.
 *
 * What is held against what: a second service under the same load that is not profiled at all would have its own ups
 * and downs, so the profiled one is compared with itself, after a warm-up of three rounds of all types. What is judged is
 * each round's least resident memory: a round has a memory profile, which collects the whole heap, and what another type
 * leaves for the next collection is no growth. It is read twice: its slope by Theil and Sen, and the median of the last
 * third over that of the first. Descriptors (of all but sockets, which the load makes) by the same medians of all cycles.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listenForAgents } from '../../dist/profiling/controller.js';
import { attachToProcess } from '../../dist/profiling/attach/attach.js';
import { theilSenSlope } from '../../dist/profiling/slope.js';
import { driveLoad } from '../../dist/validation/load.js';

const TYPES = ['cpu', 'memory', 'io', 'network', 'thread'];
const SERVICE = fileURLToPath(new URL('./profiling-service.js', import.meta.url));
const REST_MS = 500;

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

/**
 * @param {{ totalMs: number, cycleMs: number, leastCycles?: number, attach?: boolean, connections?: number, onCycle?: (cycle: object) => void }} options
 *   `attach`: through `--pid` anew for each cycle, instead of the preloaded agent.
 * @returns figures of the whole run.
 */
export async function endure({
  totalMs,
  cycleMs,
  leastCycles = 0,
  attach = false,
  connections = 4,
  onCycle = () => {},
}) {
  const server = attach ? undefined : await listenForAgents();
  const child = spawn(process.execPath, [SERVICE], {
    env: { ...process.env, NODE_OPTIONS: '', ...server?.env },
    stdio: ['ignore', 'pipe', attach ? 'ignore' : 'inherit'],
  });
  try {
    const port = await new Promise((resolve, reject) => {
      child.stdout.once('data', (text) => resolve(Number(text)));
      child.once('exit', (code) => reject(new Error(`the service ended with ${code}`)));
    });
    const agent = await server?.waitForAgent(20_000);
    const cycles = [];
    const startedAt = performance.now();
    let requests = 0;
    let errors = 0;
    for (let index = 0; index < leastCycles || performance.now() - startedAt < totalMs; index += 1) {
      const type = TYPES[index % TYPES.length];
      const end = new AbortController();
      const load = driveLoad(`http://127.0.0.1:${port}/`, {
        durationMs: cycleMs + 60_000,
        connections,
        signal: end.signal,
      });
      const target = agent ?? (await attachToProcess(child.pid));
      const signals = await target.profile(type, { durationMs: cycleMs });
      if (attach) await target.close();
      end.abort();
      const summary = await load;
      requests += summary.requests;
      errors += summary.errors;
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      const cycle = {
        type,
        atMs: performance.now() - startedAt,
        rssBytes:
          Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))[1]) * 1024,
        descriptors: descriptorsOf(child.pid),
        threads: readdirSync(`/proc/${child.pid}/task`).length,
        functions: signals.functions.length,
        warnings: signals.warnings,
      };
      cycles.push(cycle);
      onCycle(cycle);
    }
    const kept = cycles.slice(Math.min(TYPES.length * 3, Math.floor(cycles.length / 3)));
    const third = Math.max(1, Math.floor(kept.length / 3));
    const floors = [];
    for (let from = 0; from + TYPES.length <= kept.length || floors.length === 0; from += TYPES.length) {
      const round = kept.slice(from, from + TYPES.length);
      floors.push(round.reduce((least, cycle) => (cycle.rssBytes < least.rssBytes ? cycle : least)));
    }
    const thirdOfFloors = Math.max(1, Math.floor(floors.length / 3));
    const rss = (part) => median(part.map(({ rssBytes }) => rssBytes));
    const descriptors = (part) => median(part.map((cycle) => cycle.descriptors));
    return {
      cycles: cycles.length,
      requests,
      errors,
      rssFirstThirdBytes: rss(floors.slice(0, thirdOfFloors)),
      rssLastThirdBytes: rss(floors.slice(-thirdOfFloors)),
      rssOfAllFirstThirdBytes: rss(kept.slice(0, third)),
      rssOfAllLastThirdBytes: rss(kept.slice(-third)),
      rssSlopeBytesPerMinute:
        theilSenSlope(floors.map(({ atMs, rssBytes }) => ({ atMs, value: rssBytes }))) * 60_000,
      descriptorsFirst: descriptors(kept.slice(0, third)),
      descriptorsLast: descriptors(kept.slice(-third)),
      threadsFirst: kept[0].threads,
      threadsLast: kept.at(-1).threads,
      withoutFunctions: cycles.filter(({ functions }) => functions === 0).length,
      warnings: [...new Set(cycles.flatMap(({ warnings }) => warnings))],
    };
  } finally {
    child.kill('SIGKILL');
    await server?.close();
  }
}

/** Connections come and go with the load and its keep-alive; what must not grow is everything else. */
function descriptorsOf(pid) {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((descriptor) => {
    try {
      return !readlinkSync(`${folder}/${descriptor}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      cycle: { type: 'string', default: '5' },
      attach: { type: 'boolean', default: false },
    },
  });
  const outcome = await endure({
    totalMs: Number(values.minutes) * 60_000,
    cycleMs: Number(values.cycle) * 1000,
    attach: values.attach,
    onCycle: ({ type, atMs, rssBytes, descriptors, threads }) =>
      console.log(
        `${(atMs / 1000).toFixed(0).padStart(4)} s  ${type.padEnd(8)} ${(rssBytes / 2 ** 20).toFixed(1).padStart(7)} MiB  ${descriptors} descriptors  ${threads} threads`,
      ),
  });
  console.log(outcome);
  const grew = outcome.rssLastThirdBytes / outcome.rssFirstThirdBytes;
  const flat = grew <= 1.05 && outcome.descriptorsLast <= outcome.descriptorsFirst;
  console.log(
    `memory ${((grew - 1) * 100).toFixed(1)} % (${(outcome.rssSlopeBytesPerMinute / 2 ** 20).toFixed(2)} MiB a minute), descriptors ${outcome.descriptorsFirst} to ${outcome.descriptorsLast}: ${flat ? 'flat' : 'GROWING'}`,
  );
  process.exitCode = flat && outcome.withoutFunctions === 0 && outcome.errors === 0 ? 0 : 1;
}

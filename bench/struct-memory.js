// npm run bench:struct-memory: what a million live records cost in memory, and in every full collection, as class
// instances and as a struct array. Each kind in a process of its own, so that neither pays for the other.
//
// Bytes per record are the growth of heap and buffers over a full collection, so that padding, headers and boxed
// numbers count as they are. Collections are timed from outside (`gc()`), and the empty process's are taken off.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const RECORDS = 1_000_000;
const ROUNDS = 9;

/** Six numbers, a flag and a name of an enum: 30 bytes in C. */
class Particle {
  constructor(k) {
    this.x = k * 0.5;
    this.y = k * 0.25;
    this.vx = k / 3;
    this.mass = k / 7;
    this.id = k;
    this.alive = true;
    this.kind = k % 2 === 0 ? 'gas' : 'dust';
  }
}

async function makers() {
  const { struct } = await import('../dist/memory/struct/struct-type.js');
  const { bool, enumOf, f32, f64, u32 } = await import('../dist/memory/struct/field-types.js');
  const Type = struct('Particle', {
    x: f64,
    y: f64,
    vx: f32,
    mass: f32,
    id: u32,
    alive: bool,
    kind: enumOf('gas', 'dust'),
  });
  const fill = (order) => () => {
    const all = Type.array(RECORDS, { order });
    const each = all.cursor();
    for (let k = 0; k < RECORDS; k += 1) {
      each.index = k;
      each.assign(new Particle(k));
    }
    return all;
  };
  return {
    nothing: () => [],
    objects: () => Array.from({ length: RECORDS }, (_, k) => new Particle(k)),
    aos: fill('aos'),
    soa: fill('soa'),
    aosoa: fill('aosoa'),
  };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function measure(kind) {
  const make = (await makers())[kind];
  for (let k = 0; k < 3; k += 1) globalThis.gc();
  const before = process.memoryUsage();
  const live = make();
  for (let k = 0; k < 3; k += 1) globalThis.gc();
  const after = process.memoryUsage();
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    globalThis.gc();
    return performance.now() - start;
  });
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  return { bytes: bytes / RECORDS, gcMs: median(times), live: live.length };
}

if (process.argv[2] === 'measure') {
  console.log(JSON.stringify(await measure(process.argv[3])));
} else {
  const run = (kind) =>
    JSON.parse(
      execFileSync(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), 'measure', kind], {
        encoding: 'utf8',
      }),
    );
  const results = Object.fromEntries(['nothing', 'objects', 'aos', 'soa', 'aosoa'].map((k) => [k, run(k)]));
  const idle = results.nothing.gcMs;
  const own = (kind) => Math.max(results[kind].gcMs - idle, 0);
  console.log(
    `${RECORDS.toLocaleString('en')} live records; a full collection of an empty process: ${idle.toFixed(2)} ms`,
  );
  console.log('kind      bytes/record  full collection, ms  added, ms  objects / this, whole collection');
  for (const kind of ['objects', 'aos', 'soa', 'aosoa']) {
    const { bytes, gcMs } = results[kind];
    console.log(
      [
        kind.padEnd(9),
        bytes.toFixed(1).padStart(12),
        gcMs.toFixed(2).padStart(20),
        own(kind).toFixed(2).padStart(10),
        (results.objects.gcMs / gcMs).toFixed(1).padStart(33),
      ].join(' '),
    );
  }
}

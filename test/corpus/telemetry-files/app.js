// Takes telemetry as lines, and writes it to compressed files, with backpressure all the way.
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import driver from '../driver.cjs';

const directory = join(tmpdir(), 'telemetry-files');
mkdirSync(directory, { recursive: true });
let files = 0;

class Stamp extends Transform {
  #rest = '';
  lines = 0;

  constructor() {
    super({ decodeStrings: false, encoding: 'utf8' });
  }

  _transform(chunk, _encoding, done) {
    const lines = (this.#rest + chunk.toString()).split('\n');
    this.#rest = lines.pop();
    this.lines += lines.length;
    const now = Date.now();
    done(null, lines.map((line) => `${now};${line}\n`).join(''));
  }

  _flush(done) {
    done(null, this.#rest === '' ? '' : `${Date.now()};${this.#rest}\n`);
  }
}

async function store(request, response) {
  const stamp = new Stamp();
  const file = join(directory, `part-${(files += 1) % 40}.gz`);
  await pipeline(request, stamp, createGzip({ level: 1 }), createWriteStream(file));
  response.writeHead(201).end(String(stamp.lines));
}

async function fetchPart(number, response) {
  response.setHeader('content-encoding', 'gzip');
  await pipeline(createReadStream(join(directory, `part-${number}.gz`)), response);
}

const server = createServer((request, response) => {
  const work = request.method === 'POST' ? store(request, response) : fetchPart(1, response);
  work.catch(() => response.destroy());
}).listen(0, '127.0.0.1');
const body = Array.from(
  { length: 500 },
  (_, i) => `sensor-${i % 40};${(i * 17) % 101};${(i * 3.25).toFixed(2)}`,
).join('\n');
driver.drive(server, { ratePerSecond: 40, body });

import { execSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import driver from '../driver.cjs';

/** Refuses uploads while the volume is nearly full. */
class VolumeGuard extends EventEmitter {
  #mount;
  #minimumKb;

  constructor(mount, minimumKb) {
    super();
    this.#mount = mount;
    this.#minimumKb = minimumKb;
  }

  freeKb() {
    const [, row] = execSync(`df -Pk ${this.#mount}`, { encoding: 'utf8' }).trim().split('\n');
    return Number(row.split(/\s+/)[3]);
  }

  admit(sizeBytes) {
    const free = this.freeKb();
    const isAdmitted = free - sizeBytes / 1024 > this.#minimumKb;
    this.emit(isAdmitted ? 'admitted' : 'refused', free);
    return isAdmitted;
  }
}

const guard = new VolumeGuard('/', 10_240);
let admitted = 0;
guard.on('admitted', () => (admitted += 1));
guard.on('refused', (free) => console.warn(`volume nearly full: ${free} KiB`));

const uploads = new Map();
const server = createServer((request, response) => {
  let size = 0;
  request.on('data', (chunk) => (size += chunk.length));
  request.on('end', () => {
    if (!guard.admit(size)) {
      response.statusCode = 507;
      return response.end();
    }
    uploads.set(admitted % 100, { size, at: Date.now() });
    response.statusCode = 201;
    response.end(JSON.stringify({ id: admitted, size }));
  });
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 30, paths: ['/upload'], body: 'x'.repeat(20_000) });

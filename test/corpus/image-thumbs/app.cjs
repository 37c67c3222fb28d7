'use strict';
const { writeFileSync, statSync, mkdtempSync, rmSync } = require('node:fs');
const { join } = require('node:path');
const { tmpdir } = require('node:os');
const http = require('node:http');
const { drive } = require('../driver.cjs');

const folder = mkdtempSync(join(tmpdir(), 'thumbs-'));
const picture = Buffer.alloc(1_500_000, 7);
const archive = {
  store(id) {
    const path = join(folder, `${id % 20}.bin`);
    writeFileSync(path, picture);
    return statSync(path).size;
  },
};
let id = 0;
const server = http
  .createServer((_request, response) => response.end(String(archive.store(id++))))
  .listen(0, '127.0.0.1');
for (const event of ['SIGTERM', 'SIGINT']) process.once(event, () => process.exit());
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
drive(server, { ratePerSecond: 120 });

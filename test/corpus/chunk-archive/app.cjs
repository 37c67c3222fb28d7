'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

function createArchive() {
  const parts = [];
  return {
    append(chunk) {
      const copy = Buffer.allocUnsafeSlow(chunk.length);
      chunk.copy(copy);
      parts.push(copy);
      return parts.length;
    },
  };
}
const archive = createArchive();
const server = http
  .createServer((request, response) => {
    let kept = 0;
    request.on('data', (chunk) => (kept = archive.append(chunk)));
    request.once('end', () => response.end(`${kept}`));
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 60, body: 'x'.repeat(50_000) });

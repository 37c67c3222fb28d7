'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
/** Keeps the last thousand messages in a ring. */
const ring = new Array(1000).fill(null);
let at = 0;
const server = http
  .createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      ring[at++ % ring.length] = JSON.parse(Buffer.concat(parts));
      response.end('ok');
    });
  })
  .listen(0, '127.0.0.1');
drive(server, {
  ratePerSecond: 300,
  body: JSON.stringify({ name: 'reading', values: [1, 2, 3], note: 'x'.repeat(200) }),
});

'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
const index = new Map();
for (let i = 0; i < 260_000; i++) index.set(`key-${i}`, { id: i, tags: [i & 7, i & 15], at: i * 1.5 });
const server = http
  .createServer((_request, response) => {
    const seen = [];
    for (let i = 0; i < 600; i++) seen.push({ ...index.get(`key-${(i * 7919) % 260_000}`) });
    response.end(String(seen.length));
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 40 });

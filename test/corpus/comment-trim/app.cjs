'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

const TRAILING = new RegExp('[\\s,;]+$');
const comments = Array.from(
  { length: 30 },
  (_, i) => `thanks ${i} ${' '.repeat(2600)}x${' , '.repeat(700)}end`,
);
const tidy = (text) => text.trim().replace(TRAILING, '');
const handlers = {
  '/': (request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end(String(comments.map((comment) => tidy(comment).length).reduce((a, b) => a + b, 0)));
  },
};
const server = http
  .createServer((request, response) => (handlers[request.url] ?? handlers['/'])(request, response))
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 3 });

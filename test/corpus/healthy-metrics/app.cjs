'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

const counters = new Map();
const count = (name) => counters.set(name, (counters.get(name) ?? 0) + 1);
const exposition = () =>
  [...counters].map(([name, value]) => `# TYPE ${name} counter\n${name} ${value}`).join('\n');
const routes = {
  '/metrics': (response) => response.end(exposition()),
  '/ping': (response) => response.end('pong'),
  '/time': (response) => response.end(new Date().toISOString()),
};
const server = http
  .createServer((request, response) => {
    count(`requests_${request.url.slice(1)}_total`);
    const route = routes[request.url];
    if (route === undefined) response.writeHead(404).end();
    else route(response);
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 1200, paths: ['/ping', '/time', '/metrics', '/nothing'] });

'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

function quota(limit) {
  const windows = Array.from({ length: limit }, (_, i) => ({ at: Date.now(), path: `/${i % 50}` }));
  return (request, response, next) => {
    const now = Date.now();
    windows.push({ at: now, path: request.url });
    let used = 0;
    for (let i = 0; i < windows.length; i += 1) {
      if (windows[i].path === request.url && now - windows[i].at < 60_000) used += 1;
    }
    if (windows.length > limit) windows.splice(0, windows.length - limit);
    response.setHeader('x-used', used);
    next();
  };
}
const middlewares = [quota(60_000), (_request, response) => response.end('ok')];
const server = http
  .createServer((request, response) => {
    const run = (at) => middlewares[at](request, response, () => run(at + 1));
    run(0);
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 700, paths: ['/1', '/2', '/3'] });

'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
const users = new Map(
  Array.from({ length: 500 }, (_, id) => [id, { id, name: `user ${id}`, roles: ['reader'] }]),
);
class Router {
  routes = [];
  get(pattern, handler) {
    this.routes.push({ pattern, handler });
  }
  handle(request, response) {
    for (const { pattern, handler } of this.routes) {
      const match = pattern.exec(request.url);
      if (match) return handler(match.groups ?? {}, response);
    }
    response.writeHead(404).end();
  }
}
const router = new Router();
const json = (response, body) =>
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
router.get(/^\/users\/(?<id>\d+)$/, ({ id }, response) => json(response, users.get(Number(id)) ?? {}));
router.get(/^\/users$/, (_, response) => json(response, [...users.values()].slice(0, 20)));
router.get(/^\/health$/, (_, response) => response.end('ok'));
const server = http
  .createServer((request, response) => router.handle(request, response))
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 700, connections: 16, paths: ['/health', '/users/7', '/users', '/users/44'] });

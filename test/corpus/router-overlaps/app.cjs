'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

class Calendar {
  constructor(count) {
    this.bookings = Array.from({ length: count }, (_, i) => {
      const start = (i * 7919) % 86_400;
      return { room: i % 40, start, end: start + 300 + ((i * 31) % 900) };
    });
  }
  findOverlaps(room) {
    const clashes = [];
    for (let i = 0; i < this.bookings.length; i++) {
      const a = this.bookings[i];
      if (a.room !== room) continue;
      for (let j = 0; j < this.bookings.length; j++) {
        const b = this.bookings[j];
        if (i !== j && b.room === room && a.start < b.end && b.start < a.end) clashes.push([i, j]);
      }
    }
    return clashes.length;
  }
}

/** A router as express has it: layers with a path, called in turn until one answers. */
function router() {
  const layers = [];
  const handle = (request, response) => {
    let index = 0;
    const next = () => {
      const layer = layers[index++];
      if (layer === undefined) return response.writeHead(404).end();
      if (layer.path !== undefined && !request.url.startsWith(layer.path)) return next();
      layer.handler(request, response, next);
    };
    next();
  };
  handle.use = (handler) => layers.push({ handler });
  handle.get = (path, handler) => layers.push({ path, handler });
  return handle;
}

const calendar = new Calendar(12_000);
const app = router();
app.use((request, response, next) => {
  response.setHeader('x-request-id', Math.random().toString(36));
  next();
});
app.get('/health', (_request, response) => response.end('ok'));
app.get('/clashes', (request, response) => {
  response.end(JSON.stringify({ clashes: calendar.findOverlaps(request.url.length % 40) }));
});
const server = http.createServer(app).listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 100, paths: ['/health', '/clashes', '/health'] });

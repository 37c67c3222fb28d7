'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
const events = Array.from({ length: 6000 }, (_, i) => ({ id: i, kind: `k${i % 7}`, at: i * 10 }));
class Pipeline {
  enrich(list) {
    return list
      .map((event) => ({ ...event, day: { index: event.at / 86_400 } }))
      .map((event) => ({ ...event, tags: [event.kind, event.id] }))
      .map((event) => ({ ...event, done: { ok: true, by: ['a', 'b'] } }));
  }
}
const pipeline = new Pipeline();
const server = http
  .createServer((_request, response) => response.end(String(pipeline.enrich(events).length)))
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: Infinity, connections: 4 });

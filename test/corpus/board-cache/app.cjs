'use strict';
// A cache of fixed size that is nearly as large as the heap may be.
const http = require('node:http');
const { drive } = require('../driver.cjs');

const LIMIT = 250_000;
const boards = new Map();
const make = (id) => ({
  id,
  cells: [id, id + 1, id + 2, id + 3, `cell ${id}`],
  owner: { name: `n${id}`, since: id },
});
for (let id = 0; id < LIMIT; id += 1) boards.set(id, make(id));
let next = LIMIT;
const server = http
  .createServer((_request, response) => {
    for (let i = 0; i < 60; i += 1) {
      boards.set(next, make(next));
      boards.delete(next - LIMIT);
      next += 1;
    }
    response.end('ok');
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 150 });

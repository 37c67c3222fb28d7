'use strict';
// Middlewares as in Express, by hand: parse, authenticate, validate, handle, log into memory.
const http = require('node:http');
const { drive } = require('../driver.cjs');

const todos = new Map();
const lately = [];
const stack = [
  function json(request, response, next) {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      request.body = text === '' ? {} : JSON.parse(text);
      next();
    });
  },
  function authenticate(request, _response, next) {
    request.user = (request.headers.authorization ?? 'Basic guest').split(' ')[1];
    next();
  },
  function validate(request, response, next) {
    if (typeof request.body.title !== 'string') response.writeHead(400).end();
    else next();
  },
  function handle(request, response) {
    const id = todos.size % 500;
    todos.set(id, { id, owner: request.user, ...request.body });
    lately.push(id);
    if (lately.length > 100) lately.shift();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id, open: todos.size }));
  },
];
const server = http
  .createServer((request, response) => {
    const run = (at) => stack[at](request, response, () => run(at + 1));
    run(0);
  })
  .listen(0, '127.0.0.1');
drive(server, {
  ratePerSecond: 1000,
  body: '{"title":"write tests","due":"2026-03-01","labels":["work","home"]}',
});

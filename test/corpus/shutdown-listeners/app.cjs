'use strict';
const { EventEmitter } = require('node:events');
const http = require('node:http');
const { drive } = require('../driver.cjs');

const lifecycle = new EventEmitter();
lifecycle.setMaxListeners(0);
const awaitShutdown = (request) => {
  const context = { url: request.url, headers: request.headers };
  const stop = () => (context.aborted = true);
  lifecycle.once('shutdown', stop);
};

const server = http
  .createServer((request, response) => {
    awaitShutdown(request);
    response.end('ok');
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 250 });

'use strict';
const http = require('node:http');
const { EventEmitter } = require('node:events');

const hub = new EventEmitter().setMaxListeners(0);
let beat = 0;
setInterval(() => hub.emit('beat', `data: ${(beat += 1)}\n\n`), 50);
const server = http
  .createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (text) => response.write(text);
    hub.on('beat', send);
    response.once('close', () => hub.off('beat', send));
  })
  .listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    // Clients come and go.
    const visit = (ms) =>
      http
        .get({ port, host: '127.0.0.1', agent: new http.Agent({ maxSockets: 1 }) }, (response) => {
          response.resume().on('error', () => {});
          setTimeout(() => response.destroy(), ms).unref();
          response.on('close', () => visit(ms));
        })
        .on('error', () => {});
    for (let i = 0; i < 40; i += 1) visit(1500 + i * 40);
  });

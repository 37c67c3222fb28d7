'use strict';
const net = require('node:net');
const http = require('node:http');
const { drive } = require('../driver.cjs');

const cache = net
  .createServer((socket) => socket.on('data', () => socket.write('+PONG\r\n')))
  .listen(0, '127.0.0.1');
class CacheClient {
  connections = [];
  // A connection for every question, and none is ever ended.
  ping(done) {
    const socket = net.connect(cache.address().port, '127.0.0.1');
    this.connections.push(socket);
    socket.once('data', () => done('ok'));
    socket.write('PING\r\n');
  }
}
const client = new CacheClient();
const server = http
  .createServer((_request, response) => client.ping((text) => response.end(text)))
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 60 });

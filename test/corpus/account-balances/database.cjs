'use strict';
// A database without the index that the query needs.
const net = require('node:net');
const { parentPort } = require('node:worker_threads');
const server = net.createServer((socket) => {
  let rest = '';
  socket.setEncoding('utf8').on('error', () => {});
  socket.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const [id] = line.split(' ', 1);
      setTimeout(() => socket.write(`${id} ${Number(id) * 137}\n`), 420 + (Number(id) % 5) * 40);
    }
  });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));

'use strict';
// The field: two devices in five are out of reach and never answer.
const net = require('node:net');
const { parentPort } = require('node:worker_threads');
const server = net.createServer((socket) => {
  let rest = '';
  socket.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const id = Number(/"id":(\d+)/.exec(line)[1]);
      if (id % 5 > 1) setTimeout(() => socket.write(`{"id":${id},"status":"ok"}\n`), 15);
    }
  });
  socket.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));

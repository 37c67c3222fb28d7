'use strict';
// Five branch offices behind slow lines: each reads at about four megabytes a second.
const net = require('node:net');
process.once('disconnect', () => process.exit());
function download() {
  const socket = net.connect(Number(process.argv[2]), '127.0.0.1');
  socket.write('GET /ledger.csv HTTP/1.1\r\nhost: ledger\r\nconnection: close\r\n\r\n');
  socket.on('data', (chunk) => {
    socket.pause();
    setTimeout(() => socket.resume(), chunk.length / 4000);
  });
  socket.on('error', () => {});
  socket.on('close', () => setTimeout(download, 200));
}
for (let i = 0; i < 5; i++) setTimeout(download, i * 500);

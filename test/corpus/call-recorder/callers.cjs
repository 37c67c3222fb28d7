'use strict';
const net = require('node:net');
process.once('disconnect', () => process.exit());
const audio = Buffer.alloc(16_000, 7);
function call() {
  const socket = net.connect(Number(process.argv[2]), '127.0.0.1');
  let sent = 0;
  const timer = setInterval(() => {
    if (++sent > 30) {
      clearInterval(timer);
      socket.end();
    } else socket.write(audio);
  }, 50);
  socket.on('error', () => {}).resume();
  socket.on('close', () => {
    clearInterval(timer);
    setTimeout(call, 20);
  });
}
for (let i = 0; i < 7; i++) setTimeout(call, i * 60);

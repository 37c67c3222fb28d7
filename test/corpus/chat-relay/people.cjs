'use strict';
const net = require('node:net');
process.once('disconnect', () => process.exit());
for (let i = 0; i < 24; i++) {
  const socket = net.connect(Number(process.argv[2]), '127.0.0.1', () => {
    socket.write(`{"enter":"room-${i % 4}"}\n`);
    let sent = 0;
    setInterval(
      () => socket.write(`{"from":"user-${i}","text":"hello for the ${++sent}th time"}\n`),
      90 + i * 3,
    );
  });
  socket.resume().on('error', () => {});
}

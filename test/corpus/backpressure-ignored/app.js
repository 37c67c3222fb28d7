import { connect, createServer } from 'node:net';

const server = createServer((socket) => {
  // A reader that takes its time.
  socket.pause();
  setInterval(() => socket.read(4096), 20);
}).listen(0, '127.0.0.1', () => {
  const socket = connect(server.address().port, '127.0.0.1');
  const chunk = Buffer.alloc(16 * 1024, 'x');
  let sent = 0;
  function exportRows() {
    for (let i = 0; i < 8; i += 1) socket.write(chunk);
    sent += 8;
    if (sent < 12_000) setTimeout(exportRows, 10);
  }
  exportRows();
});

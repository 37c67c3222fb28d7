import { createServer } from 'node:http';
import { connect } from 'node:net';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

if (isMainThread) {
  const line = `${Array.from({ length: 40 }, (_, i) => `value-${i}`).join(',')}\n`;
  const exportAll = (response, rows) => {
    for (let i = 0; i < rows; i += 1) response.write(`${i},${line}`);
    response.end();
  };
  const server = createServer((_request, response) => exportAll(response, 12_000)).listen(
    0,
    '127.0.0.1',
    () => {
      new Worker(new URL(import.meta.url), { workerData: { port: server.address().port } });
    },
  );
} else {
  // A reader at the other end of a slow line.
  const download = () => {
    const socket = connect(workerData.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: reports\r\nconnection: close\r\n\r\n');
    socket.pause();
    const reading = setInterval(() => socket.read(65_536) ?? socket.read(), 20);
    socket.once('close', () => {
      clearInterval(reading);
      download();
    });
  };
  for (let i = 0; i < 4; i += 1) download();
}

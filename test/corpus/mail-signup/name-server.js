/** A name server that is far away: it answers MX questions after half a second. */
import { createSocket } from 'node:dgram';
import { parentPort } from 'node:worker_threads';

const socket = createSocket('udp4');
socket.on('message', (query, { port, address }) => {
  let end = 12;
  while (query[end] !== 0) end += query[end] + 1;
  const question = query.subarray(12, end + 5);
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(1, 6);
  head.writeUInt32BE(0, 8);
  // The name as a pointer, MX, IN, 60 s, then preference 10 and "mx." before the same name.
  const answer = Buffer.from([0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 7, 0, 10, 2, 0x6d, 0x78, 0xc0, 12]);
  const reply = Buffer.concat([head, question, answer]);
  setTimeout(() => socket.send(reply, port, address), 480);
});
socket.bind(0, '127.0.0.1', () => parentPort.postMessage(socket.address().port));

/** Ten people who draw on one board. */
import net from 'node:net';

process.once('disconnect', () => process.exit());
const port = Number(process.argv[2]);

function strokeFrame(author, seed) {
  const points = Array.from({ length: 18 }, (_, i) => ({
    x: 100 + Math.sin(seed + i / 3) * 80 + 0.125,
    y: 200 + Math.cos(seed + i / 5) * 60 + 0.375,
    pressure: 0.5,
  }));
  const payload = Buffer.from(JSON.stringify({ author, colour: '#3366cc', width: 2, points }));
  const head = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255, 1, 2, 3, 4]);
  for (let i = 0; i < payload.length; i += 1) payload[i] ^= (i & 3) + 1;
  return Buffer.concat([head, payload]);
}

for (let i = 0; i < 10; i += 1) {
  const socket = net.connect(port, '127.0.0.1', () => {
    socket.write(
      'GET /main HTTP/1.1\r\nhost: board\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    let drawn = 0;
    setInterval(() => socket.write(strokeFrame(`user-${i}`, (drawn += 0.1))), 280 + i * 9);
  });
  socket.resume().on('error', () => {});
}

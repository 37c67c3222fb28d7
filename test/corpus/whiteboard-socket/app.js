import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { readFrames, textFrame } from './frames.js';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const MAX_STROKES = 220;

class Board {
  strokes = [];
  members = new Set();

  join(socket) {
    this.members.add(socket);
    socket.on('close', () => this.members.delete(socket)).on('error', () => socket.destroy());
  }

  draw(stroke) {
    if (!Array.isArray(stroke.points)) return;
    this.strokes.push(stroke);
    if (this.strokes.length > MAX_STROKES) this.strokes.shift();
    this.publish(stroke.author);
  }

  publish(author) {
    for (const member of this.members) {
      if (member.writableLength > 4_000_000) continue;
      member.write(textFrame(this.encode(author)));
    }
  }

  encode(author) {
    return JSON.stringify({ kind: 'board', author, strokes: this.strokes });
  }
}

const boards = new Map([['main', new Board()]]);
const server = createServer((request, response) => {
  response.end(request.url === '/health' ? 'ok' : 'whiteboard');
});
server.on('upgrade', (request, socket) => {
  const board = boards.get(request.url.slice(1));
  if (board === undefined) return socket.destroy();
  const accept = createHash('sha1')
    .update(request.headers['sec-websocket-key'] + GUID)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
  socket.setNoDelay(true);
  board.join(socket);
  readFrames(socket, (text) => board.draw(JSON.parse(text)));
});
server.listen(0, '127.0.0.1', () => {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS' && !name.startsWith('SYSOPT')),
  );
  const clients = fork(
    fileURLToPath(new URL('clients.js', import.meta.url)),
    [String(server.address().port)],
    {
      env,
      execArgv: [],
      stdio: 'ignore',
    },
  );
  process.once('exit', () => clients.kill('SIGKILL'));
});

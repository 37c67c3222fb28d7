'use strict';
// Chat over plain TCP: a line of JSON for each message, relayed to all who are in the room.
const { fork } = require('node:child_process');
const net = require('node:net');
const path = require('node:path');

const rooms = new Map();

function enter(name, socket) {
  let room = rooms.get(name);
  if (!room) rooms.set(name, (room = { members: new Set(), history: [] }));
  room.members.add(socket);
  socket.once('close', () => {
    room.members.delete(socket);
    if (room.members.size === 0) rooms.delete(name);
  });
  return room;
}

function relay(room, message) {
  const line = `${JSON.stringify({ ...message, at: Date.now() })}\n`;
  room.history.push(line);
  if (room.history.length > 100) room.history.shift();
  for (const member of room.members) if (!member.writableNeedDrain) member.write(line);
}

const server = net.createServer((socket) => {
  socket.setNoDelay(true).setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  let room = null;
  let rest = '';
  socket.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      let message;
      try {
        message = JSON.parse(line);
      } catch {
        socket.write('{"error":"not JSON"}\n');
        continue;
      }
      if (message.enter) room = enter(message.enter, socket);
      else if (room) relay(room, message);
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const env = { ...process.env };
  for (const name of Object.keys(env))
    if (name === 'NODE_OPTIONS' || name.startsWith('SYSOPT')) delete env[name];
  const people = fork(path.join(__dirname, 'people.cjs'), [String(server.address().port)], {
    env,
    execArgv: [],
    stdio: 'ignore',
  });
  process.once('exit', () => people.kill('SIGKILL'));
});

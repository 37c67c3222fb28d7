'use strict';
const { fork } = require('node:child_process');
const net = require('node:net');
const path = require('node:path');

/** Recordings of telephone calls; each connection sends the audio of one call. */
class Recorder {
  constructor() {
    this.calls = new Map();
    this.finished = 0;
  }

  begin(id) {
    this.calls.set(id, { id, startedAt: Date.now(), chunks: [], bytes: 0 });
  }

  append(id, chunk) {
    const call = this.calls.get(id);
    call.chunks.push(chunk);
    call.bytes += chunk.length;
  }

  finish(id) {
    const call = this.calls.get(id);
    call.endedAt = Date.now();
    this.finished++;
    return { id, bytes: call.bytes, durationMs: call.endedAt - call.startedAt };
  }
}

const recorder = new Recorder();
let sequence = 0;
const server = net.createServer((socket) => {
  const id = `call-${++sequence}`;
  recorder.begin(id);
  socket.on('data', (chunk) => recorder.append(id, chunk));
  socket.on('end', () => socket.end(JSON.stringify(recorder.finish(id))));
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const env = { ...process.env };
  for (const name of Object.keys(env))
    if (name === 'NODE_OPTIONS' || name.startsWith('SYSOPT')) delete env[name];
  const callers = fork(path.join(__dirname, 'callers.cjs'), [String(server.address().port)], {
    env,
    execArgv: [],
    stdio: 'ignore',
  });
  process.once('exit', () => callers.kill('SIGKILL'));
});

/**
 * Load from another process: `drive(server, …)` starts this file as a program that sends requests to the server.
 * Beside `load.js` (a thread of the same process), because a generator outside is what a service mostly meets, and
 * because a neighbour on the same host must not be taken for a fault of the service. In CommonJS, so that cases of
 * both kinds can load it.
 */
'use strict';
const { fork } = require('node:child_process');
const http = require('node:http');
const net = require('node:net');

/**
 * @param server listening or not yet.
 * @param ratePerSecond requests a second; Infinity keeps `connections` requests under way all the time.
 * @param paths asked in turn; `body` is sent by POST where given.
 */
exports.drive = function drive(server, { ratePerSecond, connections = 8, paths = ['/'], body }) {
  const start = () => {
    const env = { ...process.env };
    // The generator is not to be profiled.
    for (const name of Object.keys(env)) {
      if (name === 'NODE_OPTIONS' || name.startsWith('SYSOPT')) delete env[name];
    }
    const load = {
      port: server.address().port,
      ratePerSecond: String(ratePerSecond),
      connections,
      paths,
      body,
    };
    const child = fork(__filename, [JSON.stringify(load)], { env, execArgv: [], stdio: 'ignore' });
    process.once('exit', () => child.kill('SIGKILL'));
    child.unref();
    child.channel.unref();
  };
  if (server.listening) start();
  else server.once('listening', start);
};

/**
 * Sends the requests of one load; in a process of its own, or in a worker thread (`load.js`). Where the score is for another
 * load of the case than its own, that one's rate comes by the environment, which both share with the program.
 */
exports.generate = function generate({ port, ratePerSecond, connections, paths, body }) {
  const rate = Number(process.env.CORPUS_RATE_PER_SECOND ?? ratePerSecond);
  if (rate === Infinity) {
    saturate({ port, connections, paths, body });
    return;
  }
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  let sent = 0;
  const send = (done) => {
    const path = paths[sent++ % paths.length];
    const method = body === undefined ? 'GET' : 'POST';
    http
      .request({ port, host: '127.0.0.1', agent, path, method }, (response) =>
        response.resume().on('end', done),
      )
      .on('error', done)
      .end(body);
  };
  let owed = 0;
  let last = performance.now();
  let pending = 0;
  setInterval(() => {
    const now = performance.now();
    owed = Math.min(owed + ((now - last) / 1000) * rate, rate);
    last = now;
    while (owed >= 1 && pending < connections * 4) {
      owed -= 1;
      pending += 1;
      send(() => {
        pending -= 1;
      });
    }
  }, 5);
};

/**
 * A request under way on each connection all the time. Written and read as bytes: Node's own client works longer for
 * a request than most handlers, and would be what is saturated.
 */
function saturate({ port, connections, paths, body }) {
  const head = body === undefined ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  const method = body === undefined ? 'GET' : 'POST';
  const requests = paths.map((path) =>
    Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${head}\r\n${body ?? ''}`),
  );
  let sent = 0;
  const open = () => {
    const isWhole = responseReader();
    const send = () => socket.write(requests[sent++ % requests.length]);
    const socket = net.connect(port, '127.0.0.1', send).setNoDelay();
    socket.on('data', (chunk) => isWhole(chunk) && send());
    socket.on('error', () => {}).on('close', () => setTimeout(open, 5));
  };
  for (let i = 0; i < connections; i += 1) open();
}

/** Takes chunks of one response after the other, and tells of each whether a response ends with it. */
function responseReader() {
  let head = '';
  /** Bytes of the body to come; -1 in the head, infinite where only the last chunk tells. */
  let rest = -1;
  let tail = '';
  return (chunk) => {
    if (rest < 0) {
      head += chunk.latin1Slice();
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return false;
      const length = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end));
      const isChunked = length === null && /\r\ntransfer-encoding: *chunked/i.test(head.slice(0, end));
      rest = isChunked ? Infinity : Number(length?.[1] ?? 0) - (head.length - end - 4);
      tail = head.slice(-5);
      head = '';
    } else {
      rest -= chunk.length;
      tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 5))).slice(-5);
    }
    const isWhole = rest === Infinity ? tail === '0\r\n\r\n' : rest <= 0;
    if (isWhole) rest = -1;
    return isWhole;
  };
}

if (require.main === module) {
  process.once('disconnect', () => process.exit());
  exports.generate(JSON.parse(process.argv[2]));
}

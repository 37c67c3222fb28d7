/**
 * Load from another process: `drive(server, …)` starts this file as a program that sends requests to the server.
 * Beside `load.js` (a thread of the same process), because a generator outside is what a service mostly meets, and
 * because a neighbour on the same host must not be taken for a fault of the service. In CommonJS, so that cases of
 * both kinds can load it.
 */
'use strict';
const { fork } = require('node:child_process');
const http = require('node:http');

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

/** Sends the requests of one load; in a process of its own, or in a worker thread (`load.js`). */
exports.generate = function generate({ port, ratePerSecond, connections, paths, body }) {
  const rate = Number(ratePerSecond);
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
  if (rate === Infinity) {
    const again = () => setImmediate(send, again);
    for (let i = 0; i < connections; i += 1) again();
    return;
  }
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

if (require.main === module) {
  process.once('disconnect', () => process.exit());
  exports.generate(JSON.parse(process.argv[2]));
}

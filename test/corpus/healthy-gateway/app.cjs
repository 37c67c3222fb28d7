'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const ask = (port, path) =>
  new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent }, (response) => {
        const parts = [];
        response
          .on('data', (part) => parts.push(part))
          .on('end', () => resolve(JSON.parse(Buffer.concat(parts))));
      })
      .on('error', reject);
  });
import('../downstream.js').then(async ({ startDownstream }) => {
  const port = await startDownstream({ delayMs: 3 });
  const server = http
    .createServer(async (_request, response) => {
      // The second question needs the first one's answer.
      const user = await ask(port, '/session');
      const [profile, orders] = await Promise.all([
        ask(port, `/profile/${user.name}`),
        ask(port, `/orders/${user.name}`),
      ]);
      response.end(JSON.stringify({ profile, orders }));
    })
    .listen(0, '127.0.0.1');
  drive(server, { ratePerSecond: 70, connections: 16 });
});

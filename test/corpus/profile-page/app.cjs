'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
class Client {
  constructor(port) {
    this.port = port;
  }
  get(path) {
    return new Promise((resolve, reject) => {
      http
        .get({ host: '127.0.0.1', port: this.port, path, agent }, (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (part) => (text += part)).on('end', () => resolve(JSON.parse(text)));
        })
        .on('error', reject);
    });
  }
}
async function load(client, id) {
  const person = await client.get(`/people/${id}`);
  const friends = await client.get(`/friends/${id}`);
  const photos = await client.get(`/photos/${id}`);
  const badges = await client.get(`/badges/${id}`);
  return { person, friends, photos, badges };
}
import('../downstream.js').then(async ({ startDownstream }) => {
  const client = new Client(await startDownstream({ delayMs: 25 }));
  const server = http
    .createServer((request, response) => {
      load(client, request.url.slice(1)).then((page) => response.end(JSON.stringify(page)));
    })
    .listen(0, '127.0.0.1');
  drive(server, { ratePerSecond: 40, paths: ['/1', '/2', '/3'] });
});

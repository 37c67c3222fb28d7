'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

const agent = new http.Agent({ keepAlive: true });
let port;

const fetchInventory = (sku) => {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path: `/stock/${sku}`, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () => resolve(JSON.parse(text)));
    });
    request.on('error', reject).end();
  });
};

import('../downstream.js').then(async ({ startDownstream }) => {
  port = await startDownstream({ delayMs: 350 });
  const server = http
    .createServer(async (request, response) => {
      const stock = await fetchInventory(request.url.slice(1));
      response.end(stock.name);
    })
    .listen(0, '127.0.0.1');
  drive(server, { ratePerSecond: 40, connections: 20, paths: ['/1', '/2', '/3'] });
});

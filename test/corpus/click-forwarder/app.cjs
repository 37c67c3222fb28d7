'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

const agent = new http.Agent({ maxSockets: 64, timeout: 3000 });
const campaigns = new Map(Array.from({ length: 50 }, (_, i) => [`c${i}`, { id: `c${i}`, budget: 1000 + i }]));

const forwardClick = (port, click) =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify(click);
    const request = http.request({
      host: '127.0.0.1',
      port,
      agent,
      method: 'POST',
      path: '/clicks',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    request.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject);
    request.end(body);
  });

function parseClick(url) {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1));
  const campaign = campaigns.get(query.get('campaign'));
  return campaign && { campaign: campaign.id, target: query.get('to'), at: Date.now() };
}

async function main() {
  const { startDownstream } = await import('../downstream.js');
  const port = await startDownstream({ delayMs: 3 });
  const server = http.createServer(async (request, response) => {
    const click = parseClick(request.url);
    if (!click) return response.writeHead(400).end();
    try {
      await forwardClick(port, click);
      response.writeHead(302, { location: click.target }).end();
    } catch {
      response.writeHead(502).end();
    }
  });
  server.listen(0, '127.0.0.1');
  drive(server, {
    ratePerSecond: 140,
    connections: 16,
    paths: ['/go?campaign=c1&to=/shop', '/go?campaign=c7&to=/sale', '/go?campaign=c31&to=/new'],
  });
}

main();

'use strict';
const { fork } = require('node:child_process');
const http = require('node:http');
const path = require('node:path');

const PAGES = 1600;

function page(number) {
  const rows = [];
  for (let i = 0; i < 150; i++)
    rows.push(`${number * 150 + i};2026-01-${1 + (i % 28)};debit;${i * 3},00;office supplies and so on`);
  return `${rows.join('\n')}\n`;
}

const pages = Array.from({ length: 20 }, (_, i) => page(i));

/** Sends the ledger a page at a time, so that other requests get their turn. */
function streamLedger(response, number) {
  if (response.destroyed) return;
  if (number === PAGES) {
    response.end();
    return;
  }
  response.write(pages[number % pages.length]);
  setImmediate(streamLedger, response, number + 1);
}

const handlers = {
  '/ledger.csv'(request, response) {
    response.setHeader('content-type', 'text/csv');
    streamLedger(response, 0);
  },
  '/health'(request, response) {
    response.end('ok');
  },
};

const server = http.createServer((request, response) => {
  const handler = handlers[request.url];
  if (handler) handler(request, response);
  else response.writeHead(404).end();
});
server.listen(0, '127.0.0.1', () => {
  const env = { ...process.env };
  for (const name of Object.keys(env))
    if (name === 'NODE_OPTIONS' || name.startsWith('SYSOPT')) delete env[name];
  const readers = fork(path.join(__dirname, 'readers.cjs'), [String(server.address().port)], {
    env,
    execArgv: [],
    stdio: 'ignore',
  });
  process.once('exit', () => readers.kill('SIGKILL'));
});

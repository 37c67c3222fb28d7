'use strict';
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { drive } = require('../driver.cjs');

function connectLedger(port) {
  const socket = net.connect(port, '127.0.0.1').setNoDelay(true).setEncoding('utf8');
  const waiting = new Map();
  let sequence = 0;
  let buffered = '';
  socket.on('data', (text) => {
    buffered += text;
    for (let end = buffered.indexOf('\n'); end >= 0; end = buffered.indexOf('\n')) {
      const [id, amount] = buffered.slice(0, end).split(' ');
      buffered = buffered.slice(end + 1);
      const resolve = waiting.get(id);
      waiting.delete(id);
      resolve?.(Number(amount));
    }
  });
  return function balanceOf(account) {
    return new Promise((resolve) => {
      const id = String(++sequence);
      waiting.set(id, resolve);
      socket.write(`${id} SELECT balance FROM accounts WHERE id = ${account}\n`);
    });
  };
}

const euro = new Intl.NumberFormat('de-AT', { style: 'currency', currency: 'EUR' });

async function main() {
  const database = new Worker(path.join(__dirname, 'database.cjs'));
  const [port] = await once(database, 'message');
  const balanceOf = connectLedger(port);
  const server = http.createServer((request, response) => {
    const match = /^\/accounts\/(\d+)$/.exec(request.url);
    if (match === null) {
      response.writeHead(404).end();
      return;
    }
    balanceOf(Number(match[1])).then((cents) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ account: match[1], balance: euro.format(cents / 100) }));
    });
  });
  server.listen(0, '127.0.0.1');
  drive(server, { ratePerSecond: 25, paths: ['/accounts/17', '/accounts/4', '/accounts/991', '/nothing'] });
}

main();

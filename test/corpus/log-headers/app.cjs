'use strict';
const fs = require('node:fs');
const http = require('node:http');
const { drive } = require('../driver.cjs');

const MAGIC = Buffer.from('#!');
function isScript(path) {
  const descriptor = fs.openSync(path, 'r');
  const head = Buffer.alloc(2);
  if (fs.readSync(descriptor, head, 0, 2, 0) < 2) return false;
  if (!head.equals(MAGIC)) return false;
  fs.closeSync(descriptor);
  return true;
}
const server = http
  .createServer((request, response) => response.end(String(isScript(__filename))))
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 30 });

'use strict';
const crypto = require('crypto');
const { promisify } = require('util');
const http = require('http');
const { drive } = require('../driver.cjs');
const scrypt = promisify(crypto.scrypt);
class Accounts {
  users = new Map();
  async register(name) {
    const key = await scrypt('secret of ' + name, 'salt', 64);
    this.users.set(name, key);
    return key;
  }
}
const accounts = new Accounts();
let n = 0;
const server = http
  .createServer(async (_request, response) => {
    await accounts.register(`user${n++ % 100}`);
    response.end('ok');
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: Infinity, connections: 40 });

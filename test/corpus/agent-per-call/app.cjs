'use strict';
const http = require('http');
const { drive } = require('../driver.cjs');

const rates = http.createServer((_request, response) => response.end('{"rate":1.08}')).listen(0, '127.0.0.1');
class Money {
  constructor(target) {
    this.target = target;
  }
  convert(amount, done) {
    const options = { host: '127.0.0.1', port: this.target.address().port, agent: new http.Agent() };
    http
      .get(options, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => done(null, amount * JSON.parse(Buffer.concat(parts)).rate));
      })
      .on('error', done);
  }
}
const money = new Money(rates);
const server = http
  .createServer((_request, response) => {
    money.convert(12, (error, value) => response.end(String(error ?? value)));
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 120, connections: 12 });

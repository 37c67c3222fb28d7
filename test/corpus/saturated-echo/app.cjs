'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
let served = 0;
const server = http
  .createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part) => (text += part));
    request.on('end', () => {
      const order = JSON.parse(text);
      order.number = served++;
      response.setHeader('content-type', 'application/json').end(JSON.stringify(order));
    });
  })
  .listen(0, '127.0.0.1');
drive(server, {
  ratePerSecond: Infinity,
  connections: 24,
  body: '{"sku":"a-1","quantity":2,"customer":{"id":7}}',
});

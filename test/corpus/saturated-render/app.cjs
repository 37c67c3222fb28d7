'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
const products = Array.from({ length: 40 }, (_, i) => ({ id: i, name: `Product ${i}`, price: i * 1.25 }));
const escape = (text) => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
const row = ({ name, price }) => `<tr><td>${escape(name)}</td><td>${price.toFixed(2)}</td></tr>`;
const page = (items) => `<table>${items.map(row).join('')}</table>`;
const server = http
  .createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(request.url === '/few' ? page(products.slice(0, 3)) : '<p>Welcome</p>');
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: Infinity, connections: 32, paths: ['/', '/few', '/'] });

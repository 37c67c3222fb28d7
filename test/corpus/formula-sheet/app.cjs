'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

const rows = Array.from({ length: 9000 }, (_, i) => ({ a: i, b: i % 17, c: i % 5 }));
const formulas = ['a * 2 + b', 'b - c * 3', '(a + b) * c', 'a % 7 + b * c'];
function evaluate(formula, list) {
  const compiled = new Function('row', `const { a, b, c } = row; return ${formula};`);
  let sum = 0;
  for (let round = 0; round < 12; round += 1) for (const row of list) sum += compiled(row);
  return sum;
}
const server = http
  .createServer((request, response) => {
    const results = formulas.map((formula, i) => evaluate(`${formula} + ${i} * ${Date.now() % 1000}`, rows));
    response.end(results.join());
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 60 });

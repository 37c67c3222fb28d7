import { createServer } from 'node:http';
import driver from '../driver.cjs';

/** A scorer of its own for every request: compiled for whole numbers, then thrown back by the one text at the end. */
function makeScorer(weight) {
  return function score(rows) {
    let sum = 0;
    for (let i = 0; i < rows.length; i += 1) {
      sum += rows[i].value * weight;
    }
    return sum;
  };
}

const rows = Array.from({ length: 60_000 }, (_, i) => ({ value: i % 100 }));
const last = [{ value: '7' }, { value: 0.5 }];
const server = createServer((_request, response) => {
  const score = makeScorer(3);
  let total = 0;
  for (let i = 0; i < 8; i += 1) total += score(rows) + score(last);
  response.end(String(total));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 40 });

import { createServer } from 'node:http';
import { runInThisContext } from 'node:vm';
import driver from '../driver.cjs';

let rules = 0;
/** A rule of the customer's, compiled for every request: warm when the request is over, and thrown away. */
const compile = (weight) =>
  runInThisContext(
    `(function score(rows) { let sum = 0; for (let i = 0; i < rows.length; i += 1) sum += rows[i].value * ${weight}; return sum; })`,
    { filename: `rule-${(rules += 1)}.js` },
  );

class Ranking {
  rank(rows, last) {
    const score = compile(rules % 7);
    let total = 0;
    for (let i = 0; i < 6; i += 1) total += score(rows) + score(last);
    return total;
  }
}

const rows = Array.from({ length: 20_000 }, (_, i) => ({ value: i % 100 }));
const last = [{ value: '7' }, { value: 0.5 }];
const ranking = new Ranking();
const server = createServer((_request, response) => response.end(String(ranking.rank(rows, last)))).listen(
  0,
  '127.0.0.1',
);
driver.drive(server, { ratePerSecond: 80 });

import { createServer } from 'node:http';
import driver from '../driver.cjs';

const sheet = Array.from({ length: 300 }, (_, r) => Array.from({ length: 40 }, (_, c) => r * c));
async function checkCell(value) {
  return value >= 0;
}
async function checkSheet(rows) {
  let good = 0;
  for (const row of rows) {
    for (const cell of row) {
      if (await checkCell(cell)) good += 1;
    }
  }
  return good;
}
const server = createServer(async (_request, response) => {
  response.end(String(await checkSheet(sheet)));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 120 });

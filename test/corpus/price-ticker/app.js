import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import driver from '../driver.cjs';

const prices = new EventEmitter();
prices.setMaxListeners(0);
let last = 100;
setInterval(() => prices.emit('change', (last += Math.random() - 0.5)), 200);

function follow(response) {
  let sent = 0;
  prices.on('change', (price) => {
    if (!response.writableEnded) response.write(`${price}\n`);
    sent += 1;
  });
  return sent;
}
const server = createServer((request, response) => {
  follow(response);
  response.end(`${last}\n`);
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 40 });

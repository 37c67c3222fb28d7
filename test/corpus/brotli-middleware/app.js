import { brotliCompressSync, constants } from 'node:zlib';
import { createServer } from 'node:http';
import driver from '../driver.cjs';

const rows = Array.from({ length: 2500 }, (_, i) => ({
  id: i,
  name: `station ${i * 17}`,
  value: Math.sin(i),
}));
const page = JSON.stringify(rows);

const middlewares = [
  function pack(context, next) {
    next();
    context.body = brotliCompressSync(context.body, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } });
  },
  function answer(context) {
    context.body = page;
  },
];

const server = createServer((_request, response) => {
  const context = {};
  const run = (index) => middlewares[index]?.(context, () => run(index + 1));
  run(0);
  response.setHeader('content-encoding', 'br').end(context.body);
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 15 });

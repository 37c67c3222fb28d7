import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import driver from '../driver.cjs';

const paragraph = 'All work and no play makes a dull page. '.repeat(60);
function* page(times) {
  for (let i = 0; i < times; i += 1) yield `<p id="${i}">${paragraph}</p>`;
}
const server = createServer(async (_request, response) => {
  response.setHeader('content-encoding', 'gzip');
  await pipeline(Readable.from(page(12)), createGzip({ level: 4 }), response).catch(() => {});
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 40 });

import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { createServer } from 'node:http';
import driver from '../driver.cjs';

const derive = promisify(pbkdf2);
const server = createServer(async (request, response) => {
  const key = await derive('a password', request.url, 2000, 32, 'sha256');
  response.end(key.toString('hex'));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 40 });

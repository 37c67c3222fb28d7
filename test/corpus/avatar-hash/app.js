import { pbkdf2 } from 'node:crypto';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import driver from '../driver.cjs';

const derive = promisify(pbkdf2);
class Accounts {
  async verify(name, password) {
    const key = await derive(password, `salt:${name}`, 120_000, 32, 'sha512');
    return key[0] % 2 === 0;
  }
}
const accounts = new Accounts();
const server = createServer(async (request, response) => {
  const isRight = await accounts.verify(request.url, 'correct horse');
  response.statusCode = isRight ? 200 : 401;
  response.end();
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: Infinity, connections: 16, paths: ['/ann', '/bob', '/eve'] });

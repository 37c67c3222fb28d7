import { createServer } from 'node:http';
import { scryptSync, createHmac } from 'node:crypto';
import driver from '../driver.cjs';

class TokenIssuer {
  #secret;
  constructor(secret) {
    this.#secret = secret;
  }
  derive(subject) {
    return scryptSync(this.#secret, subject, 32, { N: 2048, r: 8, p: 1 });
  }
  issue(subject) {
    return createHmac('sha256', this.derive(subject)).update(subject).digest('base64url');
  }
}

const issuer = new TokenIssuer('correct horse');
const server = createServer(async (request, response) => {
  await null;
  response.end(issuer.issue(request.url));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: Infinity, connections: 4, paths: ['/a', '/b', '/c'] });

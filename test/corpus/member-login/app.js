import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import driver from '../driver.cjs';

const derive = promisify(scrypt);
const COST = { N: 8192, r: 8, p: 1 };

class Members {
  #byName = new Map();

  async enrol(name, password) {
    const salt = randomBytes(16);
    this.#byName.set(name, { salt, hash: await derive(password, salt, 32, COST) });
  }

  async verify(name, password) {
    const member = this.#byName.get(name);
    if (member === undefined) return false;
    return timingSafeEqual(member.hash, await derive(password, member.salt, 32, COST));
  }
}

const members = new Members();
await members.enrol('ada', 'engine');
const sessions = new Map();

function openSession(name) {
  const token = randomBytes(18).toString('base64url');
  sessions.set(token, { name, until: Date.now() + 60_000 });
  if (sessions.size > 200) sessions.delete(sessions.keys().next().value);
  return token;
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://members');
  if (url.pathname === '/login') {
    const isMember = await members.verify(url.searchParams.get('name'), url.searchParams.get('password'));
    response.statusCode = isMember ? 200 : 401;
    return response.end(isMember ? openSession('ada') : 'no');
  }
  response.end(JSON.stringify({ sessions: sessions.size, page: url.pathname }));
}).listen(0, '127.0.0.1');
const pages = Array.from({ length: 9 }, (_, i) => `/page/${i}`);
driver.drive(server, { ratePerSecond: 130, paths: ['/login?name=ada&password=engine', ...pages] });

import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Worker } from 'node:worker_threads';
import driver from '../driver.cjs';

const nameServer = new Worker(new URL('./name-server.js', import.meta.url));
const [port] = await once(nameServer, 'message');
const resolver = new Resolver({ timeout: 3000, tries: 1 });
resolver.setServers([`127.0.0.1:${port}`]);

const accounts = new Map();
const isAddress = (text) => typeof text === 'string' && text.length < 120 && /^[^@\s]+@[^@\s]+$/.test(text);

/** A domain takes mail when it has a mail exchanger. */
async function takesMail(domain) {
  try {
    const exchangers = await resolver.resolveMx(domain);
    return exchangers.some(({ exchange }) => exchange !== '');
  } catch {
    return false;
  }
}

async function signUp({ email, name }) {
  if (!isAddress(email)) return { status: 422, reason: 'address' };
  const [, domain] = email.split('@');
  if (!(await takesMail(domain))) return { status: 422, reason: 'domain' };
  accounts.set(email, { email, name, since: new Date() });
  return { status: 201, accounts: accounts.size };
}

async function readJson(request) {
  let text = '';
  for await (const part of request) text += part;
  return JSON.parse(text);
}

const server = createServer(async (request, response) => {
  try {
    const result = await signUp(await readJson(request));
    response.statusCode = result.status;
    response.end(JSON.stringify(result));
  } catch {
    response.writeHead(400).end();
  }
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 15, body: JSON.stringify({ email: 'ada@example.org', name: 'Ada' }) });

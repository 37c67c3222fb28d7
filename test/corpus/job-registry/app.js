import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import driver from '../driver.cjs';

class JobRegistry {
  #waiting = new Map();
  submit = (payload) => {
    const id = randomUUID();
    const job = { id, payload, attempts: Array.from({ length: 40 }, () => ({ at: 0, error: null })) };
    // Whoever collects the result was meant to take the entry away.
    this.#waiting.set(id, { job, settle: (value) => ({ ...job, value }) });
    return id;
  };
  get size() {
    return this.#waiting.size;
  }
}
const registry = new JobRegistry();
const routes = new Map([['POST', async (body) => registry.submit(JSON.parse(body))]]);
const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  response.end(await routes.get(request.method)(Buffer.concat(parts).toString()));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 250, body: '{"kind":"resize","width":640}' });

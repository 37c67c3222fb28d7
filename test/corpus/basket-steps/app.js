import { createServer, Agent, get } from 'node:http';
import driver from '../driver.cjs';
import { startDownstream } from '../downstream.js';

const port = await startDownstream({ delayMs: 18 });
const agent = new Agent({ keepAlive: true });

class Basket {
  #get(path) {
    return new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', path, agent }, (response) => {
        response.resume().on('end', () => resolve(path));
      }).on('error', reject);
    });
  }

  async assemble(ids) {
    const parts = {};
    parts.customer = await this.#get('/customer');
    parts.shipping = await this.#get('/shipping');
    for (const id of ids) parts[id] = await this.#get(`/items/${id}`);
    parts.taxes = await this.#get('/taxes');
    return parts;
  }
}

const basket = new Basket();
const server = createServer((_request, response) => {
  basket.assemble(['a', 'b']).then((parts) => response.end(JSON.stringify(parts)));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 40, connections: 16 });

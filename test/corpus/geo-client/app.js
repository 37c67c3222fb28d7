import { createServer } from 'node:http';
import driver from '../driver.cjs';
import { startDownstream } from '../downstream.js';

const port = await startDownstream({ delayMs: 420 });
class GeoClient {
  #base = `http://127.0.0.1:${port}`;

  async locate(address) {
    const response = await fetch(`${this.#base}/locate?ip=${address}`);
    if (!response.ok) throw new Error(`${response.status}`);
    return response.json();
  }
}
const client = new GeoClient();
const server = createServer(async (request, response) => {
  const place = await client.locate(request.url.length);
  response.end(place.name);
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 15 });

import { createServer } from 'node:http';
import { startDownstream } from '../downstream.js';
import driver from '../driver.cjs';

const port = await startDownstream({ delayMs: 240 });
const api = {
  async forecast(city) {
    const answer = await fetch(`http://127.0.0.1:${port}/${city}`);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.json();
  },
};
const server = createServer((request, response) => {
  api.forecast(request.url.slice(1)).then(
    (forecast) => response.end(JSON.stringify(forecast)),
    () => response.writeHead(502).end(),
  );
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 25, paths: ['/graz', '/linz', '/wels'] });

import { createServer } from 'node:http';
import { startDownstream } from '../downstream.js';
import driver from '../driver.cjs';

const port = await startDownstream({ delayMs: 3 });
async function quote(currency) {
  const answer = await fetch(`http://127.0.0.1:${port}/${currency}`, { headers: { connection: 'close' } });
  return (await answer.json()).name;
}
const server = createServer(async (request, response) => response.end(await quote(request.url.slice(1))));
driver.drive(server.listen(0, '127.0.0.1'), { ratePerSecond: 60, paths: ['/eur', '/usd'] });

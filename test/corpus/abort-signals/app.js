import { createServer } from 'node:http';
import driver from '../driver.cjs';

const shutdown = new AbortController();
const tasks = {
  withShutdown(work) {
    return new Promise((resolve, reject) => {
      // Never removed when the work is done.
      shutdown.signal.addEventListener('abort', () => reject(new Error('shutting down')));
      work().then(resolve, reject);
    });
  },
};
const server = createServer(async (_request, response) => {
  response.end(await tasks.withShutdown(async () => 'done'));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 200 });

// A plain `http` server that answers 503 at once where it would otherwise answer everybody late.
// node examples/limiter/http.js, then load http://localhost:3000/.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { ConcurrencyLimiter, LimitExceededError } from '../../dist/index.js';

/** Wraps a request handler: it is called only where the limiter has a place, which it keeps until the response ends. */
export function limited(limiter, handler) {
  return async (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    let permit;
    try {
      permit = await limiter.acquire({ signal: gone.signal });
    } catch (error) {
      if (gone.signal.aborted) return;
      const status = error instanceof LimitExceededError ? 503 : 500;
      response.writeHead(status, { 'retry-after': '1' }).end();
      return;
    }
    const release = () =>
      permit.release(response.writableFinished && response.statusCode < 500 ? 'ok' : 'failed');
    if (response.destroyed) return release();
    response.once('close', release);
    handler(request, response);
  };
}

/** @param {any} handler @param {any} [options] the limiter's, and `port` */
export function startServer(handler, { port = 0, ...options } = /** @type {any} */ ({})) {
  const limiter = new ConcurrencyLimiter({ name: 'http', ...options });
  const server = createServer(limited(limiter, handler));
  return new Promise((resolve) => server.listen(port, () => resolve({ server, limiter })));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { limiter } = await startServer((_, response) => setTimeout(() => response.end('done\n'), 20), {
    port: 3_000,
    maxQueued: 20,
    queueTimeoutMs: 100,
  });
  setInterval(() => console.log(limiter.stats()), 5_000);
}

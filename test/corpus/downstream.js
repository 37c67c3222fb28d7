/** Another service for a corpus case: an HTTP server in a thread of its own that answers after a while. */
import { createServer } from 'node:http';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** @returns its port. */
export async function startDownstream({ delayMs }) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { delayMs } });
  return new Promise((resolve) => worker.once('message', resolve));
}

if (!isMainThread && workerData?.delayMs !== undefined) {
  const server = createServer((_request, response) => {
    setTimeout(() => {
      response.setHeader('content-type', 'application/json');
      response.end('{"name":"Ada"}');
    }, workerData.delayMs);
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
}

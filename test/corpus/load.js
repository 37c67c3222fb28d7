/**
 * Load for a corpus case: serves `handler` over HTTP and sends it requests from a worker thread, so that the
 * generator's own work does not appear on the profiled thread. The requests are those of `driver.cjs`.
 */
import { createServer } from 'node:http';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import driver from './driver.cjs';

/** @param ratePerSecond requests a second; Infinity keeps `connections` requests under way all the time. */
export function serveUnderLoad(handler, { ratePerSecond, connections = 8, paths = ['/'] }) {
  const server = createServer(handler).listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    new Worker(new URL(import.meta.url), {
      workerData: { port, ratePerSecond, connections, paths },
    });
  });
  return server;
}

if (!isMainThread && workerData?.port !== undefined) driver.generate(workerData);

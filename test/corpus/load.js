/**
 * Load for a corpus case: serves `handler` over HTTP and sends it requests from a worker thread, so that the
 * generator's own work does not appear on the profiled thread.
 */
import { createServer } from 'node:http';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { Agent, get } from 'node:http';

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

if (!isMainThread && workerData?.port !== undefined) {
  const { port, ratePerSecond, connections, paths } = workerData;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let sent = 0;
  const send = (done) => {
    const path = paths[sent++ % paths.length];
    get({ port, host: '127.0.0.1', agent, path }, (response) => response.resume().on('end', done)).on(
      'error',
      done,
    );
  };
  if (ratePerSecond === Infinity) {
    const again = () => send(again);
    for (let i = 0; i < connections; i += 1) again();
  } else {
    let owed = 0;
    let last = performance.now();
    let pending = 0;
    setInterval(() => {
      const now = performance.now();
      owed = Math.min(owed + ((now - last) / 1000) * ratePerSecond, ratePerSecond);
      last = now;
      while (owed >= 1 && pending < connections * 4) {
        owed -= 1;
        pending += 1;
        send(() => {
          pending -= 1;
        });
      }
    }, 5);
  }
}

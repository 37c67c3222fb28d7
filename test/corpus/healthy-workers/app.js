import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { serveUnderLoad } from '../load.js';

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  const waiting = [];
  worker.on('message', (sum) => waiting.shift()?.(sum));
  serveUnderLoad(
    async (_request, response) => {
      const sum = await new Promise((resolve) => {
        waiting.push(resolve);
        worker.postMessage(20_000);
      });
      response.end(String(sum));
    },
    { ratePerSecond: 100 },
  );
} else {
  parentPort.on('message', (count) => {
    let sum = 0;
    for (let i = 0; i < count; i += 1) sum += Math.sqrt(i);
    parentPort.postMessage(sum);
  });
}

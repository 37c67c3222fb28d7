'use strict';
const os = require('node:os');
const { isMainThread, parentPort, Worker } = require('node:worker_threads');

if (isMainThread) {
  const pool = Array.from(
    { length: Math.max(1, os.availableParallelism() - 1) },
    () => new Worker(__filename),
  );
  let next = 0;
  let done = 0;
  for (const worker of pool) worker.on('message', () => (done += 1));
  setInterval(() => pool[next++ % pool.length].postMessage({ width: 240, height: 160, n: done }), 30);
} else {
  const shade = ({ width, height, n }) => {
    const out = new Uint8Array(width * height);
    for (let y = 0; y < height; y += 1)
      for (let x = 0; x < width; x += 1) out[y * width + x] = (x * y + n) & 255;
    return out[n % out.length];
  };
  parentPort.on('message', (job) => {
    let last = 0;
    for (let i = 0; i < 20; i += 1) last = shade({ ...job, n: job.n + i });
    parentPort.postMessage(last);
  });
}

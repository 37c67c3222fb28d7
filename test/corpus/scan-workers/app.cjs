'use strict';
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');

function fingerprint(seed) {
  let hash = seed;
  for (let i = 0; i < 3_000_000; i += 1)
    hash = (Math.imul(hash ^ (i & 0xff), 0x01000193) >>> 0) + (hash >>> 13);
  return hash;
}
if (isMainThread) {
  // One for each folder to scan, whatever the machine.
  const folders = Array.from({ length: 10 }, (_, i) => `folder-${i}`);
  let done = 0;
  for (const [seed] of folders.entries()) {
    new Worker(__filename, { workerData: { seed } }).on('message', () => (done += 1));
  }
  setInterval(() => void done, 100);
} else {
  const again = () => {
    parentPort.postMessage(fingerprint(workerData.seed));
    setImmediate(again);
  };
  again();
}

import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';

function shade(tile) {
  let light = 0;
  for (let y = 0; y < 700; y += 1) {
    for (let x = 0; x < 700; x += 1) {
      light += Math.sqrt(x * x + y * y + tile) % 7;
    }
  }
  return light;
}

if (isMainThread) {
  // One thread for every tile of the picture, whatever the machine has.
  const tiles = Array.from({ length: 24 }, (_, i) => i);
  const workers = tiles.map(() => new Worker(new URL(import.meta.url)));
  const render = (worker, tile) =>
    new Promise((resolve) => {
      worker.once('message', resolve);
      worker.postMessage(tile);
    });
  for (;;) {
    await Promise.all(tiles.map((tile) => render(workers[tile], tile)));
    await sleep(1);
  }
} else {
  parentPort.on('message', (tile) => parentPort.postMessage(shade(tile)));
}

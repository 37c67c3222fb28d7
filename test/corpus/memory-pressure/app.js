import { serveUnderLoad } from '../load.js';

// A cache that is right for the machine, in a container that is not.
const tiles = Array.from({ length: 66 }, () => Buffer.alloc(2 * 1024 * 1024, 1));
let asked = 0;

serveUnderLoad((_request, response) => response.end(tiles[asked++ % tiles.length].subarray(0, 200)), {
  ratePerSecond: 100,
});

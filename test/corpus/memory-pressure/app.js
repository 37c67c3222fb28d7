// A cache that is right for the machine, in a container that is not.
const tiles = Array.from({ length: 67 }, () => Buffer.alloc(2 * 1024 * 1024, 1));
let asked = 0;

setInterval(() => {
  for (let i = 0; i < 50; i += 1) globalThis.first = tiles[asked++ % tiles.length][0];
}, 10);

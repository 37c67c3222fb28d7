import { createServer } from 'node:http';
import driver from '../driver.cjs';

const tree = (depth, seed) =>
  depth === 0
    ? { value: seed, kids: [] }
    : { value: seed, kids: [0, 1, 2, 3].map((k) => tree(depth - 1, seed * 4 + k)) };
const [before, after] = [tree(8, 1), tree(8, 1)];
function diff(a, b) {
  let found = a.value === b.value ? 0 : 1;
  for (let i = 0; i < a.kids.length; i += 1) found += diff(a.kids[i], b.kids[i]);
  return found;
}
const server = createServer((_request, response) => response.end(String(diff(before, after))));
driver.drive(server.listen(0, '127.0.0.1'), { ratePerSecond: Infinity, connections: 6 });

import { createServer } from 'node:http';
import driver from '../driver.cjs';

class Tree {
  async depth(node) {
    if (node === undefined) return 0;
    const left = await this.depth(node.left);
    const right = await this.depth(node.right);
    return 1 + Math.max(left, right);
  }
}

const grow = (levels) => (levels === 0 ? undefined : { left: grow(levels - 1), right: grow(levels - 1) });
const root = grow(15);
const tree = new Tree();
const server = createServer(async (_request, response) => {
  response.end(String(await tree.depth(root)));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 30 });

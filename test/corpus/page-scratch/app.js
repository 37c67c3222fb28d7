import { createServer } from 'node:http';
import driver from '../driver.cjs';

class Filter {
  blur(width, height) {
    const scratch = new Float32Array(width * height);
    // One write a page: the scratch is mostly never looked at.
    for (let i = 0; i < scratch.length; i += 1024) scratch[i] = i;
    return scratch[0];
  }
}
const filter = new Filter();
const server = createServer((_request, response) => {
  response.end(String(filter.blur(4096, 2048)));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 60 });

import { createServer } from 'node:http';
import driver from '../driver.cjs';

const text = JSON.stringify(
  Object.fromEntries(
    Array.from({ length: 4000 }, (_, i) => [
      `flag.${i}`,
      { on: i % 2 === 0, groups: ['a', 'b'], ratio: i / 3 },
    ]),
  ),
);

/** Flags that are parsed afresh whenever somebody asks. */
const settings = {
  async current() {
    return JSON.parse(text);
  },
};

const server = createServer(async (_request, response) => {
  const flags = await settings.current();
  response.end(String(flags['flag.7'].on));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 80, connections: 10 });

import { createServer } from 'node:http';
import driver from '../driver.cjs';

const rows = Array.from({ length: 60 }, (_, id) => ({ id, name: `row ${id}` }));

// Nothing is wrong with it but the third of a CPU that it is given; its load comes from outside of the container.
const server = createServer((_request, response) => response.end(JSON.stringify(rows))).listen(
  0,
  '127.0.0.1',
);
driver.drive(server, { ratePerSecond: 2500 });

import { createServer } from 'node:http';
import driver from '../driver.cjs';

const people = Array.from({ length: 260 }, (_, i) => ({ id: `p${i}`, team: i % 9, age: 20 + (i % 50) }));

/**
 * An index made by copying the index so far for every person.
 */
const collections = {
  indexBy(list, key) {
    return list.reduce((index, item) => ({ ...index, [item[key]]: item }), {});
  },
};

const server = createServer((_request, response) => {
  const index = collections.indexBy(people, 'id');
  response.end(index.p7.id);
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: Infinity, connections: 4 });

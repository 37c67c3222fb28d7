import { createServer } from 'node:http';
import driver from '../driver.cjs';

const journal = Array.from({ length: 4000 }, (_, i) =>
  JSON.stringify({ at: i, level: 'info', who: `u${i % 90}`, tags: ['x', 'y'] }),
).join('\n');
const parseLines = (text) => text.split('\n').map((line) => JSON.parse(line));
const byUser = (entries) => {
  const counts = {};
  for (const { who } of entries) counts[who] = (counts[who] ?? 0) + 1;
  return counts;
};
const server = createServer((_request, response) =>
  response.end(`${Object.keys(byUser(parseLines(journal))).length}`),
);
driver.drive(server.listen(0, '127.0.0.1'), { ratePerSecond: Infinity, connections: 8 });

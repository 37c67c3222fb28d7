import { createServer } from 'node:http';
import driver from '../driver.cjs';

const inputs = Array.from({ length: 1500 }, (_, i) =>
  i % 10 === 0 ? `https://host-${i}/path` : `not a url ${i}`,
);
function parseOrNull(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
const server = createServer((_request, response) => {
  response.end(String(inputs.map(parseOrNull).filter(Boolean).length));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 40 });

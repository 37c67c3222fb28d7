import { deflate } from 'node:zlib';
import { promisify } from 'node:util';
import { createServer } from 'node:http';
import driver from '../driver.cjs';

const squeeze = promisify(deflate);
const report = Buffer.from(Array.from({ length: 60_000 }, (_, i) => Math.sin(i).toString(36)).join(';'));
class Reports {
  async archive(level) {
    return squeeze(report, { level });
  }
}
const reports = new Reports();
const server = createServer(async (_request, response) => {
  response.end(String((await reports.archive(9)).length));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: Infinity, connections: 32 });

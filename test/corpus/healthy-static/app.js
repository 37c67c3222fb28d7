import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import driver from '../driver.cjs';

const folder = mkdtempSync(join(tmpdir(), 'static-'));
const paths = ['/a.txt', '/b.txt', '/c.txt'];
for (const path of paths) writeFileSync(join(folder, path), 'line of text\n'.repeat(900));
for (const event of ['SIGTERM', 'SIGINT']) process.once(event, () => process.exit());
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const server = createServer(async (request, response) => {
  const path = join(folder, request.url);
  const { size } = await stat(path);
  response.setHeader('content-length', size);
  pipeline(createReadStream(path), response, () => {});
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 150, paths });

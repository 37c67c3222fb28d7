import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import driver from '../driver.cjs';

const folder = mkdtempSync(join(tmpdir(), 'locales-'));
process.once('SIGTERM', () => process.exit());
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const name of ['en', 'de', 'fr']) {
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ hello: name, list: [1, 2, 3] }));
}
const wanted = ['pt-BR', 'pt', 'es-MX', 'es', 'de-AT', 'de', 'en-GB', 'en'];

class Catalogue {
  lookUp(tag) {
    for (const candidate of wanted) {
      const path = join(folder, `${candidate}.json`);
      if (existsSync(path) && statSync(path).isFile()) return readFileSync(path, 'utf8');
    }
    return `{"missing":"${tag}"}`;
  }
}
const catalogue = new Catalogue();
const server = createServer((request, response) => {
  const parts = ['title', 'menu', 'footer', 'form', 'errors', 'dates'].map((part) => catalogue.lookUp(part));
  response.end(parts.join('\n'));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: Infinity, connections: 6 });

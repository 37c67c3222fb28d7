'use strict';
const { readFileSync, existsSync, mkdtempSync, writeFileSync, rmSync } = require('fs');
const { join } = require('path');
const { tmpdir } = require('os');
const { createServer } = require('http');
const { drive } = require('../driver.cjs');

const folder = mkdtempSync(join(tmpdir(), 'templates-'));
class Templates {
  partial(name) {
    const path = join(folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }
  render(names) {
    let page = '';
    for (const name of names) page += this.partial(name);
    return page;
  }
}

const names = Array.from({ length: 60 }, (_, i) => `part-${i}.html`);
for (const name of names) writeFileSync(join(folder, name), '<li>item</li>'.repeat(200));
const templates = new Templates();
const server = createServer((_request, response) =>
  response.end(String(templates.render(names).length)),
).listen(0, '127.0.0.1');
for (const event of ['SIGTERM', 'SIGINT']) process.once(event, () => process.exit());
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
drive(server, { ratePerSecond: 150 });

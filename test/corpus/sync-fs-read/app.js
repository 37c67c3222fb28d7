import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveUnderLoad } from '../load.js';

const path = join(tmpdir(), `corpus-template-${process.pid}.html`);
writeFileSync(path, '<p>hello</p>'.repeat(200_000));

function renderPage(name) {
  const template = readFileSync(path, 'utf8');
  return template.slice(0, 100) + name;
}

serveUnderLoad((_request, response) => response.end(renderPage('Ada')), { ratePerSecond: 80 });

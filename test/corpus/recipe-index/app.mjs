import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import driver from '../driver.cjs';

const directory = join(tmpdir(), 'recipe-index');
mkdirSync(directory, { recursive: true });
for (let i = 0; i < 30; i += 1) {
  const steps = Array.from(
    { length: 4000 },
    (_, step) => `${step + 1}. stir, and wait for ${step % 9} minutes`,
  );
  writeFileSync(join(directory, `recipe-${i}.md`), `# Recipe ${i}\n\n${steps.join('\n')}\n`);
}

async function readTitle(name) {
  const lines = createInterface({ input: createReadStream(join(directory, name)), crlfDelay: Infinity });
  for await (const line of lines) {
    if (line.startsWith('# ')) return line.slice(2);
  }
  return name;
}

async function index(page) {
  const names = Array.from({ length: 3 }, (_, i) => `recipe-${(page * 3 + i) % 30}.md`);
  const titles = await Promise.all(names.map(readTitle));
  return titles.map((title, i) => ({ title, href: `/recipes/${names[i]}` }));
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://recipes');
  if (url.pathname !== '/index') return response.writeHead(404).end();
  const entries = await index(Number(url.searchParams.get('page') ?? 0));
  response.setHeader('content-type', 'text/html');
  response.end(`<ul>${entries.map(({ title, href }) => `<li><a href="${href}">${title}</a>`).join('')}</ul>`);
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 14, paths: ['/index?page=1', '/index?page=2', '/index?page=7'] });

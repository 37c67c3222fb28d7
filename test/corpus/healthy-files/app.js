import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { serveUnderLoad } from '../load.js';

const here = import.meta.filename;

async function describeFile() {
  const { size } = await stat(here);
  const text = await readFile(here, 'utf8');
  return `${size} ${text.length}`;
}

serveUnderLoad(
  async (request, response) => {
    if (request.url === '/raw') await pipeline(createReadStream(here), response);
    else response.end(await describeFile());
  },
  { ratePerSecond: 80, paths: ['/', '/raw'] },
);

import { createHash } from 'node:crypto';
import { gzip } from 'node:zlib';
import { serveUnderLoad } from '../load.js';

const lines = Array.from({ length: 12_000 }, (_, i) => createHash('md5').update(String(i)).digest('hex'));
const page = Buffer.from(lines.join('\n'));

function compressPage() {
  return new Promise((resolve, reject) => {
    gzip(page, { level: 9 }, (error, body) => (error ? reject(error) : resolve(body)));
  });
}

serveUnderLoad(
  async (_request, response) => {
    response.end((await compressPage()).subarray(0, 100));
  },
  { ratePerSecond: 200, connections: 24 },
);

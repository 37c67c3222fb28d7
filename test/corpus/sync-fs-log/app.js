import { appendFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { serveUnderLoad } from '../load.js';

function audit(entry) {
  for (let i = 0; i < 60; i += 1) appendFileSync(devNull, `${entry} ${i}\n`);
}

serveUnderLoad(
  (request, response) => {
    audit(request.url);
    response.end('ok');
  },
  { ratePerSecond: Infinity, connections: 4 },
);

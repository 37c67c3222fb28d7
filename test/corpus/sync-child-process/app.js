import { execFileSync } from 'node:child_process';
import { serveUnderLoad } from '../load.js';

function revision() {
  return execFileSync(process.execPath, ['-p', '1']).toString();
}

serveUnderLoad((_request, response) => response.end(revision()), { ratePerSecond: 4 });

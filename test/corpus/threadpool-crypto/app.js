import { pbkdf2 } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { serveUnderLoad } from '../load.js';

function hashPassword(password) {
  return new Promise((resolve, reject) => {
    pbkdf2(password, 'salt', 60_000, 32, 'sha256', (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

serveUnderLoad(
  async (request, response) => {
    if (request.url === '/login') await hashPassword('secret');
    else await readFile(new URL(import.meta.url));
    response.end('ok');
  },
  { ratePerSecond: 120, paths: ['/', '/login'], connections: 24 },
);

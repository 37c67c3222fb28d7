import { openSync, readSync } from 'node:fs';
import { open } from 'node:fs';
import { serveUnderLoad } from '../load.js';

const buffer = Buffer.alloc(64);

function readHeader(done) {
  open(import.meta.filename, 'r', (error, descriptor) => {
    if (error) return done(error);
    readSync(descriptor, buffer, 0, 64, 0);
    done(null, buffer.toString('utf8')); // and never closed
  });
}

openSync(import.meta.filename, 'r');
serveUnderLoad((_request, response) => readHeader((_error, text) => response.end(text ?? '')), {
  ratePerSecond: 60,
});

import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import driver from '../driver.cjs';

const BATCH_BYTES = 180_000;

function createArchive() {
  let pending = [];
  let pendingBytes = 0;
  const segments = [];

  const pack = (batch) => {
    const text = batch.join('\n');
    return gzipSync(`${text}\n`, { level: 9 });
  };

  const append = (line) => {
    pending.push(line);
    pendingBytes += line.length;
    if (pendingBytes < BATCH_BYTES) return false;
    segments.push(pack(pending));
    if (segments.length > 50) segments.shift();
    pending = [];
    pendingBytes = 0;
    return true;
  };

  return { append, size: () => segments.reduce((sum, { length }) => sum + length, 0) };
}

const archive = createArchive();
let sequence = 0;

async function record(request, response) {
  request.setEncoding('utf8');
  let text = '';
  for await (const part of request) text += part;
  const events = text.split('\n').filter(Boolean);
  for (const event of events) archive.append(`${Date.now()} ${(sequence += 1)} ${event}`);
  response.statusCode = 202;
  response.end(String(events.length));
}

const server = createServer((request, response) => {
  if (request.method !== 'POST') return response.end(`${archive.size()} bytes archived`);
  record(request, response).catch((error) => response.destroy(error));
}).listen(0, '127.0.0.1');

const body = Array.from(
  { length: 420 },
  (_, i) =>
    `{"actor":"user-${(i * 7919) % 613}","action":"${['read', 'write', 'share'][i % 3]}","object":"doc-${(i * 104729) % 9973}","ip":"10.${i % 7}.${(i * 31) % 251}.${(i * 17) % 253}"}`,
).join('\n');
driver.drive(server, { ratePerSecond: 110, paths: ['/events'], body });

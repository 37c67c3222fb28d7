import { createHash, generateKeyPair } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import driver from '../driver.cjs';

const template = join(tmpdir(), `certificate-${process.pid}.txt`);
writeFileSync(template, 'subject={id}\nfingerprint={fingerprint}\n');
const newKeyPair = promisify(generateKeyPair);
const issued = new Map();

async function createIdentity(id) {
  const { publicKey, privateKey } = await newKeyPair('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  const fingerprint = createHash('sha256').update(publicKey).digest('hex');
  return { id, fingerprint, privateKey };
}

async function render({ id, fingerprint }) {
  const text = await readFile(template, 'utf8');
  return text.replace('{id}', id).replace('{fingerprint}', fingerprint);
}

let sequence = 0;
async function enrol(response) {
  const identity = await createIdentity(`device-${(sequence += 1)}`);
  issued.set(sequence % 100, identity.fingerprint);
  response.end(await render(identity));
}

const server = createServer((request, response) => {
  switch (request.url) {
    case '/enrol':
      enrol(response).catch(() => response.destroy());
      break;
    case '/template':
      readFile(template, 'utf8').then((text) => response.end(text));
      break;
    default:
      response.statusCode = 404;
      response.end();
  }
}).listen(0, '127.0.0.1');
driver.drive(server, {
  ratePerSecond: Infinity,
  connections: 14,
  paths: ['/enrol', '/enrol', '/enrol', '/template'],
});

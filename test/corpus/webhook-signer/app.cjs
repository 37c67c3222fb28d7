'use strict';
const crypto = require('node:crypto');
const http = require('node:http');
const { drive } = require('../driver.cjs');

const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
function signPayload(body) {
  const signer = crypto.createSign('RSA-SHA256');
  signer.update(body);
  return signer.sign(privateKey, 'base64');
}
function deliver(body) {
  return { signature: signPayload(body), body };
}
const server = http
  .createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => response.end(JSON.stringify(deliver(body))));
  })
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 260, body: '{"event":"paid","amount":12}' });

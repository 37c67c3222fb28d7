'use strict';
// Takes readings of electricity meters; a reading may come in any of four notations.
const http = require('node:http');
const { drive } = require('../driver.cjs');

Error.stackTraceLimit = 40;

class NotationError extends Error {
  constructor(notation, text) {
    super(`not in ${notation} notation: ${text}`);
    this.name = 'NotationError';
    this.notation = notation;
  }
}

const notations = {
  obis: /^1-0:1\.8\.0\*255\((\d+\.\d+)\*kWh\)$/,
  json: /^\{"kWh":(\d+(?:\.\d+)?)\}$/,
  plain: /^(\d+(?:\.\d+)?) kWh$/,
  watt: /^(\d+) Wh$/,
};

function readAs(notation, text) {
  const match = notations[notation].exec(text);
  if (match === null) throw new NotationError(notation, text);
  return Number(match[1]) / (notation === 'watt' ? 1000 : 1);
}

function readAny(text) {
  for (const notation of Object.keys(notations)) {
    try {
      return readAs(notation, text);
    } catch (error) {
      if (!(error instanceof NotationError)) throw error;
    }
  }
  return null;
}

function collect(request, done) {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => done(Buffer.concat(parts).toString('utf8')));
}

const server = http.createServer((request, response) => {
  if (request.method !== 'POST') return response.writeHead(405).end();
  collect(request, (text) => {
    const values = text.split('\n').map(readAny);
    const known = values.filter((value) => value !== null);
    const sum = known.reduce((total, value) => total + value, 0);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ accepted: known.length, refused: values.length - known.length, sum }));
  });
});
server.listen(0, '127.0.0.1');
const body = Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? `${i}.5 kWh` : `${i * 10} Wh`)).join('\n');
drive(server, { ratePerSecond: 32, connections: 6, body });

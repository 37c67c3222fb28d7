import { createServer } from 'node:http';
import driver from '../driver.cjs';

const inRange = (low, high) => (text) => {
  const value = Number(text);
  return value >= low && value <= high ? value : 0;
};
const rules = [
  inRange(1, 5),
  inRange(1, 5),
  inRange(0, 10),
  (text) => (text === 'yes' ? 1 : 0),
  async (text) => (text === '' ? 0 : 1),
  inRange(18, 99),
  (text) => text.length & 1,
  inRange(1, 7),
];

/** Some rules ask a service elsewhere, so each is awaited. */
async function scoreSheet(lines) {
  let score = 0;
  for (const line of lines) {
    let column = 0;
    for (const cell of line) {
      score += await rules[column](cell);
      column += 1;
    }
  }
  return score;
}

const split = (text) => text.split('\n').map((line) => line.split(';'));

async function importSheet(request, response) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  const lines = split(text);
  if (lines[0].length !== rules.length) return response.writeHead(422).end('columns');
  const score = await scoreSheet(lines);
  response.end(JSON.stringify({ lines: lines.length, score }));
}

const server = createServer((request, response) => {
  importSheet(request, response).catch(() => response.writeHead(500).end());
}).listen(0, '127.0.0.1');

const sheet = Array.from({ length: 4200 }, (_, i) =>
  [1 + (i % 5), 1 + (i % 4), i % 11, i % 3 ? 'yes' : 'no', 'x', 18 + (i % 60), 'ok', 1 + (i % 7)].join(';'),
).join('\n');
driver.drive(server, { ratePerSecond: 50, connections: 6, body: sheet });

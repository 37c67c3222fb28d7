// A job that wakes every second and renders the letters that are due; between, it answers health checks.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import driver from '../driver.cjs';

const template = 'Dear {name},\n\nyour {plan} subscription renews on {date}.\n{items}\n\nYours\nThe Team\n';
const outbox = [];

function* due(count, now) {
  for (let i = 0; i < count; i += 1) {
    yield {
      name: `reader ${i}`,
      plan: i % 3 ? 'monthly' : 'yearly',
      date: new Date(now + i * 1000),
      items: i % 12,
    };
  }
}

function render({ name, plan, date, items }) {
  const list = Array.from({ length: items }, (_, i) => `  - article ${i + 1}`).join('\n');
  return template
    .replace('{name}', name)
    .replace('{plan}', plan)
    .replace('{date}', date.toISOString().slice(0, 10))
    .replace('{items}', list);
}

async function run() {
  let count = 0;
  for (const letter of due(1200, Date.now())) {
    outbox.push(render(letter));
    if (outbox.length > 300) outbox.shift();
    count += 1;
    if (count % 60 === 0) await sleep(2);
  }
  return count;
}

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ ok: true, path: request.url, outbox: outbox.length }));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 70, paths: ['/health', '/ready', '/outbox'] });

for (;;) {
  await run();
  await sleep(1000 - (Date.now() % 1000));
}

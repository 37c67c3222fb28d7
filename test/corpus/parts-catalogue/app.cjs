'use strict';
// Keeps the whole catalogue of parts in memory; the container gives the process little heap beside it.
const http = require('node:http');
const { drive } = require('../driver.cjs');

class Catalogue {
  constructor(count) {
    this.parts = new Map();
    for (let i = 0; i < count; i++) {
      this.parts.set(`P-${i}`, {
        number: `P-${i}`,
        title: `bolt M${i % 24} x ${i % 90}`,
        stock: { vienna: i % 50, graz: i % 30 },
        fits: [i, i + 1, i + 2, i + 3].map((n) => ({ model: `T${n % 800}`, since: 1990 + (n % 30) })),
      });
    }
  }

  get(number) {
    return this.parts.get(number);
  }

  /** A page of parts, for the shop's listing. */
  page(from, count) {
    const rows = [];
    for (let i = from; i < from + count; i++) {
      const part = this.parts.get(`P-${i}`);
      if (part !== undefined) rows.push({ ...part, available: part.stock.vienna + part.stock.graz > 0 });
    }
    return rows;
  }
}

const catalogue = new Catalogue(96_000);
let views = 0;
const server = http.createServer((req, res) => {
  const [, kind, argument] = req.url.split('/');
  views++;
  if (kind === 'part') {
    const part = catalogue.get(argument);
    res.statusCode = part ? 200 : 404;
    return res.end(JSON.stringify(part ?? null));
  }
  const rows = catalogue.page((views * 911) % 85_000, 400);
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ rows, total: catalogue.parts.size }));
});
server.listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 25, paths: ['/list/1', '/part/P-77', '/list/2'] });

'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

const zones = Array.from({ length: 40 }, (_, i) => ({
  id: `Z${i}`,
  base: 3 + (i % 7),
  perKg: 0.4 + (i % 5) / 10,
}));
const carriers = ['post', 'express', 'freight', 'bike'].map((name, i) => ({ name, factor: 1 + i / 4 }));

/** Every combination of zone, carrier and weight class, as immutable records. */
function combine(weights) {
  const quotes = [];
  for (const zone of zones) {
    for (const carrier of carriers) {
      for (const weight of weights) {
        const base = { zone: zone.id, carrier: carrier.name, weight };
        const priced = { ...base, net: (zone.base + zone.perKg * weight) * carrier.factor };
        quotes.push({
          ...priced,
          parts: [priced.net, weight],
          surcharge: { fuel: priced.net * 0.08, toll: 0.5 },
        });
      }
    }
  }
  return quotes;
}

function cheapest(quotes) {
  const best = new Map();
  for (const quote of quotes) {
    const total = quote.net + quote.surcharge.fuel + quote.surcharge.toll;
    const known = best.get(quote.carrier);
    if (known === undefined || total < known) best.set(quote.carrier, total);
  }
  return [...best].map(([carrier, total]) => ({ carrier, total: Number(total.toFixed(2)) }));
}

function weightClasses(query) {
  const from = Number(query.get('from') ?? 1);
  const to = Number(query.get('to') ?? 200);
  if (!(from > 0 && to > from && to <= 1000)) throw new RangeError('weights');
  return Array.from({ length: to - from }, (_, i) => from + i);
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://quotes');
  if (url.pathname !== '/quotes') {
    response.statusCode = 404;
    return response.end();
  }
  try {
    const body = JSON.stringify(cheapest(combine(weightClasses(url.searchParams))));
    response.setHeader('content-type', 'application/json');
    response.end(body);
  } catch (error) {
    response.statusCode = 400;
    response.end(error.message);
  }
});
server.listen(0, '127.0.0.1');
drive(server, {
  ratePerSecond: 6,
  connections: 4,
  paths: ['/quotes?from=1&to=260', '/quotes?from=20&to=270'],
});

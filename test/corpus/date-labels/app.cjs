'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

const days = Array.from({ length: 60 }, (_, i) => new Date(1.7e12 + i * 864e5));
function label(date, locale) {
  return date.toLocaleDateString(locale, { weekday: 'long', day: 'numeric', month: 'long' });
}
const calendar = (locale) => days.map((day) => `<li>${label(day, locale)}</li>`).join('');
const server = http
  .createServer((request, response) => response.end(calendar(request.url === '/de' ? 'de-DE' : 'en-GB')))
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 120, paths: ['/de', '/en'] });

import { createServer } from 'node:http';
import driver from '../driver.cjs';

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text) => String(text).replace(/[&<>"]/g, (sign) => escapes[sign]);
const html = (strings, ...values) =>
  strings.reduce(
    (text, part, i) =>
      text + (Array.isArray(values[i - 1]) ? values[i - 1].join('') : escape(values[i - 1])) + part,
  );

const products = Array.from({ length: 300 }, (_, i) => ({
  id: i,
  name: `Lamp & shade no. ${i}`,
  cents: 1990 + i * 10,
  tags: ['light', i % 2 ? 'warm' : 'cold', `size-${i % 5}`],
}));

const card = ({ id, name, cents, tags }) =>
  html`<li>
    <a href="/product/${id}">${name}</a> <b>${(cents / 100).toFixed(2)}</b>
    ${tags.map((tag) => html`<i>${tag}</i>`)}
  </li>`;

function listing(from) {
  const shown = products
    .slice(from, from + 24)
    .map((product) => ({ ...product, cents: product.cents * 1.2 }));
  return html`<h1>Lamps</h1>
    <ul>
      ${shown.map(card)}
    </ul>`;
}

const product = (id) =>
  html`<h1>${products[id].name}</h1>
    ${[card(products[id])]}`;

const server = createServer((request, response) => {
  const [, kind, number] = request.url.split('/');
  const n = Number(number);
  response.setHeader('content-type', 'text/html; charset=utf-8');
  if (kind === 'list' && n < 12) response.end(listing(n * 24));
  else if (kind === 'product' && n < 300) response.end(product(n));
  else response.writeHead(404).end('<h1>Not here</h1>');
}).listen(0, '127.0.0.1');
driver.drive(server, {
  ratePerSecond: 700,
  connections: 12,
  paths: ['/list/3', '/product/7', '/list/9', '/product/255', '/nothing/1'],
});

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import driver from '../driver.cjs';

const goods = Array.from({ length: 60 }, (_, i) => ({
  id: i,
  name: `Thing ${i}`,
  price: 3 + (i % 9),
  tags: ['a', `t${i % 5}`],
}));
const cookie = (header = 'sid=abc; theme=dark; lang=de') =>
  Object.fromEntries(header.split('; ').map((pair) => pair.split('=')));
const etag = (text) => createHash('sha1').update(text).digest('hex');
const select = (tag) => goods.filter(({ tags }) => tags.includes(tag)).slice(0, 6);
const total = (list) => list.reduce((sum, { price }) => sum + price * 1.2, 0);
const render = (list) => list.map(({ name, price }) => `<li>${name}: ${price.toFixed(2)}</li>`).join('');
const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://shop.local');
  const { lang } = cookie(request.headers.cookie);
  const list = select(url.searchParams.get('tag') ?? 'a');
  const html = `<ul lang="${lang}">${render(list)}</ul><p>${total(list).toFixed(2)}</p>`;
  response.setHeader('etag', etag(html));
  response.end(html);
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: Infinity, connections: 32, paths: ['/?tag=t1', '/?tag=t3', '/'] });

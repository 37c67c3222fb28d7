import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import driver from '../driver.cjs';

const articles = Array.from({ length: 200 }, (_, id) => ({
  id,
  title: `Article ${id}`,
  words: 100 + id,
  tags: ['a', 'b'],
}));
const routes = {
  '/list': () => JSON.stringify(articles.slice(0, 15)),
  '/one': () => JSON.stringify(articles[17]),
  '/hash': () => createHash('sha1').update('article').digest('hex'),
  '/words': () => String(articles.reduce((sum, { words }) => sum + words, 0)),
  '/page': () =>
    articles
      .slice(0, 12)
      .map(({ title }) => `<li>${title.replace(/&/g, '&amp;')}</li>`)
      .join(''),
};

const server = createServer(async (request, response) => {
  const route = routes[request.url];
  await Promise.resolve();
  response.setHeader('etag', `"${request.url.length}"`);
  response.end(route());
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: Infinity, connections: 32, paths: Object.keys(routes) });

import fastify from 'fastify';
import driver from '../driver.cjs';

const app = fastify();
const items = Array.from({ length: 200 }, (_, i) => ({ id: i, title: `Item ${i}`, price: i / 7 }));
app.addHook('onRequest', async (request) => {
  request.startedAt = performance.now();
});
app.get(
  '/items/:id',
  {
    schema: {
      response: {
        200: { type: 'object', properties: { id: { type: 'integer' }, title: { type: 'string' } } },
      },
    },
  },
  async (request) => items[Number(request.params.id) % items.length],
);
app.get('/search', async (request) => items.filter(({ id }) => id % 50 === Number(request.query.q ?? 0)));
await app.listen({ port: 0, host: '127.0.0.1' });
driver.drive(app.server, {
  ratePerSecond: Infinity,
  connections: 24,
  paths: ['/items/4', '/search?q=7', '/items/99'],
});

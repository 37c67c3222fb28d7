import fastify from 'fastify';
import cloneDeep from 'lodash.clonedeep';
import driver from '../driver.cjs';

const history = Array.from({ length: 700 }, (_, i) => ({
  id: i,
  lines: [
    { sku: `s${i}`, n: 1 },
    { sku: `t${i}`, n: 2 },
  ],
}));
const isolate = (rows) => cloneDeep(rows);
class HistoryService {
  async recent(limit) {
    const rows = isolate(history);
    return rows.slice(-limit);
  }
}
const service = new HistoryService();
const app = fastify();
app.get('/history', async (request) => service.recent(Number(request.query.limit ?? 5)));
await app.listen({ port: 0, host: '127.0.0.1' });
driver.drive(app.server, { ratePerSecond: 90, paths: ['/history?limit=3', '/history'] });

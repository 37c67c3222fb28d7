import { serveUnderLoad } from '../load.js';

const users = new Map(
  Array.from({ length: 5000 }, (_, id) => [String(id), { id, name: `user ${id}`, roles: ['reader'] }]),
);

serveUnderLoad(
  (request, response) => {
    const user = users.get(request.url.slice(1));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(user ?? { error: 'not found' }));
  },
  { ratePerSecond: 500, paths: ['/1', '/77', '/4999', '/nobody'] },
);

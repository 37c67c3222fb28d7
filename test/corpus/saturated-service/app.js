import { serveUnderLoad } from '../load.js';

const user = { id: 1, name: 'Ada', roles: ['reader', 'writer'] };

serveUnderLoad(
  (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(user));
  },
  { ratePerSecond: Infinity, connections: 64 },
);

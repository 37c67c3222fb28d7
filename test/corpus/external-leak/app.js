import { serveUnderLoad } from '../load.js';

const history = [];

function keepBody(size) {
  history.push(Buffer.alloc(size, 1));
}

serveUnderLoad(
  (_request, response) => {
    keepBody(40_000);
    response.end('ok');
  },
  { ratePerSecond: 150 },
);

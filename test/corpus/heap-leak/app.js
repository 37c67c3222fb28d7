import { serveUnderLoad } from '../load.js';

const seen = new Map();
let next = 0;

function remember(url) {
  next += 1;
  seen.set(next, { url, at: Date.now(), headers: { accept: '*/*', id: `request ${next}` } });
}

serveUnderLoad(
  (request, response) => {
    for (let i = 0; i < 25; i += 1) remember(request.url);
    response.end('ok');
  },
  { ratePerSecond: 200 },
);

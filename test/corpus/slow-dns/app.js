import { get } from 'node:http';
import { startDownstream } from '../downstream.js';
import { serveUnderLoad } from '../load.js';

const port = await startDownstream({ delayMs: 1 });

// A resolver that tries a server which does not answer before the one that does.
function slowLookUp(_name, options, done) {
  setTimeout(() => {
    if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
    else done(null, '127.0.0.1', 4);
  }, 150);
}

function fetchRates() {
  return new Promise((resolve, reject) => {
    get(
      { host: 'rates.internal', port, lookup: slowLookUp, headers: { connection: 'close' } },
      (response) => {
        response.resume().on('end', resolve);
      },
    ).on('error', reject);
  });
}

serveUnderLoad(
  async (_request, response) => {
    await fetchRates();
    response.end('ok');
  },
  { ratePerSecond: 10 },
);

import { Agent, get } from 'node:http';
import { startDownstream } from '../downstream.js';
import { serveUnderLoad } from '../load.js';

const port = await startDownstream({ delayMs: 1 });
const agent = new Agent({ keepAlive: false });

function lookUpPrice(id) {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: `/prices/${id}`, agent }, (response) => {
      response.resume().on('end', resolve);
    }).on('error', reject);
  });
}

serveUnderLoad(
  async (_request, response) => {
    await lookUpPrice(3);
    response.end('ok');
  },
  { ratePerSecond: 100 },
);

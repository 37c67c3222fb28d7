import { startDownstream } from '../downstream.js';
import { serveUnderLoad } from '../load.js';

const port = await startDownstream({ delayMs: 25 });

async function ask(path) {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`);
  return response.json();
}

async function dashboard(id) {
  const user = await ask(`users/${id}`);
  const orders = await ask(`orders/${id}`);
  const offers = await ask(`offers/${id}`);
  return { user, orders, offers };
}

serveUnderLoad(
  async (_request, response) => {
    response.end(JSON.stringify(await dashboard(7)));
  },
  { ratePerSecond: 30 },
);

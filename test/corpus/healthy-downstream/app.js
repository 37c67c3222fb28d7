import { startDownstream } from '../downstream.js';
import { serveUnderLoad } from '../load.js';

const port = await startDownstream({ delayMs: 6 });

async function ask(path) {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`);
  return response.json();
}

async function overview(id) {
  const [user, orders] = await Promise.all([ask(`users/${id}`), ask(`orders/${id}`)]);
  return { user, orders };
}

serveUnderLoad(
  async (_request, response) => {
    response.end(JSON.stringify(await overview(7)));
  },
  { ratePerSecond: 60 },
);

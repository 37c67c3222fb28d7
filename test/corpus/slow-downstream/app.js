import { startDownstream } from '../downstream.js';
import { serveUnderLoad } from '../load.js';

const port = await startDownstream({ delayMs: 220 });

async function loadProfile(id) {
  const response = await fetch(`http://127.0.0.1:${port}/users/${id}`);
  return response.json();
}

serveUnderLoad(
  async (_request, response) => {
    const profile = await loadProfile(7);
    response.end(profile.name);
  },
  { ratePerSecond: 40 },
);

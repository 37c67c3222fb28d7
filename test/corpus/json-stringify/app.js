import { serveUnderLoad } from '../load.js';

const state = {
  users: Array.from({ length: 40_000 }, (_, id) => ({
    id,
    email: `user${id}@example.org`,
    roles: ['reader'],
  })),
};

class SessionStore {
  snapshot() {
    const copy = JSON.stringify(state);
    return copy.length;
  }
}

const store = new SessionStore();
serveUnderLoad((_request, response) => response.end(String(store.snapshot())), { ratePerSecond: Infinity });

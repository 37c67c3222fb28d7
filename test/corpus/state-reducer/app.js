import { serveUnderLoad } from '../load.js';

const initial = {
  users: Array.from({ length: 900 }, (_, i) => ({
    id: i,
    name: `user ${i}`,
    roles: ['a', 'b'],
    on: i % 2 === 0,
  })),
  settings: { theme: 'dark', limits: Array.from({ length: 60 }, (_, i) => i) },
};
const copy = (state) => JSON.parse(JSON.stringify(state));
const reducers = {
  rename: (state, { id, name }) => {
    const next = copy(state);
    next.users[id].name = name;
    return next;
  },
  toggle: (state, { id }) => {
    const next = copy(state);
    next.users[id].on = !next.users[id].on;
    return next;
  },
};
let state = initial;
const dispatch = (action) => {
  state = reducers[action.type](state, action);
};
serveUnderLoad(
  (request, response) => {
    const id = request.url.length % 900;
    for (const type of ['rename', 'toggle', 'rename', 'toggle']) dispatch({ type, id, name: request.url });
    response.end('ok');
  },
  { ratePerSecond: 60, paths: ['/a', '/bb', '/ccc'] },
);

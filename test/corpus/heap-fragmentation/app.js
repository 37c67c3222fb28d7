// Sessions of a rush hour: three of five have ended, the others lie between the holes that they left.
let sessions = Array.from({ length: 900_000 }, (_, id) => ({
  id,
  name: `visitor ${id}`,
  seen: [id, id + 1, id + 2],
}));
sessions = sessions.filter(({ id }) => id % 5 < 2);
// A collection that would have come by itself sooner or later.
globalThis.gc();
let visits = 0;
setInterval(() => {
  for (let i = 0; i < 200; i += 1) visits += sessions[(i * 7919) % sessions.length].seen.length;
  globalThis.visits = visits;
}, 20);

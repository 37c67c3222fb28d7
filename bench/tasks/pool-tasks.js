// The tasks of bench/thread-pool.js, for every pool in its own way: named exports, and one function that chooses.

export const noop = (value) => value;
export const describeOrder = (order) => ({
  id: order.id,
  total: order.price * order.amount,
  label: order.name,
});
/** Works for a time, in µs. */
export const busy = (us) => {
  const until = performance.now() + us / 1e3;
  let turns = 0;
  while (performance.now() < until) turns += 1;
  return turns;
};
export const sumBytes = (bytes) => {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 64) sum += bytes[i];
  return sum;
};

/** Never ends; says first that it began. */
export const endless = (began) => {
  Atomics.store(began, 0, 1);
  Atomics.notify(began, 0);
  for (;;);
};

const tasks = { noop, describeOrder, busy, sumBytes, endless };
export default ({ name, args }) => tasks[name](args);

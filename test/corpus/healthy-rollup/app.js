// A queue worker: takes messages in small batches, adds them up, and rests in between.
import { setTimeout as rest } from 'node:timers/promises';

const totals = new Map();
const inbox = [];
setInterval(() => {
  for (let i = 0; i < 300; i += 1) inbox.push({ key: `k${i % 64}`, value: Math.random(), at: Date.now() });
}, 10);
function fold(batch) {
  for (const { key, value } of batch) {
    const sum = totals.get(key) ?? { count: 0, value: 0 };
    sum.count += 1;
    sum.value += value;
    totals.set(key, sum);
  }
}
const summary = () =>
  [...totals].map(([key, { count, value }]) => `${key}:${(value / count).toFixed(3)}`).join();
let published = '';
for (let n = 0; ; n += 1) {
  fold(inbox.splice(0, 500));
  if (n % 20 === 0) published = summary();
  await rest(published.length > 0 ? 8 : 1);
}

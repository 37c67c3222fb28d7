let pending = 0;

function step(left) {
  pending += 1;
  if (left > 0) process.nextTick(step, left - 1);
}

setInterval(() => step(400_000), 100);
globalThis.pending = () => pending;

function distance(a, b) {
  let sum = 0;
  for (let i = 0; i < 64; i += 1) {
    const d = a[i] - b[i];
    sum += d * d;
  }
  return sum;
}

const vectors = Array.from({ length: 900 }, (_, i) =>
  Float64Array.from({ length: 64 }, (_, j) => ((i + 1) * (j + 3)) % 17),
);

function nearestPairs() {
  let best = Infinity;
  for (let i = 0; i < vectors.length; i += 1) {
    for (let j = i + 1; j < vectors.length; j += 1) {
      best = Math.min(best, distance(vectors[i], vectors[j]));
    }
  }
  return best;
}

setInterval(() => {
  globalThis.best = nearestPairs();
}, 150);

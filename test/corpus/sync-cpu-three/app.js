import { serveUnderLoad } from '../load.js';

const words = Array.from({ length: 5000 }, (_, i) => `w${(i * 7919) % 2500}`);

function duplicates() {
  const found = [];
  for (let i = 0; i < words.length; i += 1) {
    if (words.indexOf(words[i]) !== i) found.push(words[i]);
  }
  return found.length;
}

function checksum() {
  let hash = 17;
  for (let round = 0; round < 12_000_000; round += 1) hash = (hash * 31 + round) | 0;
  return hash;
}

function editDistance(a, b) {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 0; j <= b.length; j += 1) rows[0][j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost);
    }
  }
  return rows[a.length][b.length];
}

const text = 'the quick brown fox '.repeat(40);
const routes = {
  '/duplicates': () => duplicates(),
  '/checksum': () => checksum(),
  '/distance': () => editDistance(text, text.replaceAll('o', '0')),
};
serveUnderLoad((request, response) => response.end(String(routes[request.url]())), {
  ratePerSecond: 20,
  paths: Object.keys(routes),
});

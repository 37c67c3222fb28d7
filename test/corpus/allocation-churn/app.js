import { serveUnderLoad } from '../load.js';

function project(count) {
  let points = Array.from({ length: count }, (_, i) => ({ x: i, y: i * 2 }));
  for (let round = 0; round < 8; round += 1) {
    points = points.map((point) => ({ x: point.x + 1, y: point.y + round, label: { text: 'p', round } }));
  }
  return points.length;
}

serveUnderLoad((_request, response) => response.end(String(project(12_000))), { ratePerSecond: 40 });

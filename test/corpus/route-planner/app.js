import { createServer } from 'node:http';
import driver from '../driver.cjs';

class TourOptimizer {
  #stops;
  constructor(stops) {
    this.#stops = stops;
  }
  length(a, b) {
    const [p, q] = [this.#stops[a], this.#stops[b]];
    return Math.hypot(p.x - q.x, p.y - q.y);
  }
  improve(tour) {
    let best = tour;
    for (let i = 1; i < best.length - 2; i += 1) {
      for (let j = i + 1; j < best.length - 1; j += 1) {
        const now = this.length(best[i - 1], best[i]) + this.length(best[j], best[j + 1]);
        const then = this.length(best[i - 1], best[j]) + this.length(best[i], best[j + 1]);
        if (then < now) {
          best = [...best.slice(0, i), ...best.slice(i, j + 1).reverse(), ...best.slice(j + 1)];
        }
      }
    }
    return best;
  }
}

const stops = Array.from({ length: 420 }, (_, i) => ({ x: (i * 7919) % 1000, y: (i * 104729) % 1000 }));
const optimizer = new TourOptimizer(stops);
const plan = async (id) => ({ id, tour: optimizer.improve(stops.map((_, i) => i)) });
const respond = async (response, id) => response.end(JSON.stringify((await plan(id)).tour.slice(0, 5)));
const server = createServer((request, response) => void respond(response, request.url)).listen(
  0,
  '127.0.0.1',
);
driver.drive(server, { ratePerSecond: 14 });

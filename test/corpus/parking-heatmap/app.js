import { createServer } from 'node:http';
import driver from '../driver.cjs';

const WIDTH = 4000;
const HEIGHT = 3000;

function positions(hour) {
  const points = [];
  let state = hour * 7919 + 1;
  for (let i = 0; i < 16_000; i += 1) {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    points.push(state % (WIDTH * HEIGHT));
  }
  return points;
}

const byHour = Array.from({ length: 24 }, (_, hour) => positions(hour));

/** Counts cars by square metre of the town. */
function occupancy(points) {
  const grid = new Uint32Array(WIDTH * HEIGHT);
  let busiest = 0;
  for (const point of points) {
    grid[point] += 1;
    if (grid[point] > grid[busiest]) busiest = point;
  }
  return { x: busiest % WIDTH, y: Math.floor(busiest / WIDTH), cars: grid[busiest] };
}

const server = createServer((request, response) => {
  const hour = Number(/^\/heat\/(\d+)$/.exec(request.url)?.[1] ?? Number.NaN);
  const points = byHour[hour];
  if (points === undefined) {
    response.statusCode = 404;
    response.end('no such hour');
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ hour, busiest: occupancy(points), cars: points.length }));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 10, paths: ['/heat/8', '/heat/12', '/heat/17', '/heat/30'] });

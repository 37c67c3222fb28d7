// The nearest of n shops to each of 500 customers, index built per call as for a request that brings its own points.
import Flatbush from 'flatbush';
import KDBush from 'kdbush';
import RBush from 'rbush';
import { randomFrom } from '../random.js';

const CUSTOMERS = 500;

function scan({ x, y, customers }) {
  return customers.map(([cx, cy]) => {
    let nearest = -1;
    let least = Infinity;
    for (let i = 0; i < x.length; i += 1) {
      const distance = (x[i] - cx) ** 2 + (y[i] - cy) ** 2;
      if (distance < least) {
        least = distance;
        nearest = i;
      }
    }
    return nearest;
  });
}

function flatbush({ x, y, customers }) {
  const index = new Flatbush(x.length);
  for (let i = 0; i < x.length; i += 1) index.add(x[i], y[i], x[i], y[i]);
  index.finish();
  return customers.map(([cx, cy]) => index.neighbors(cx, cy, 1)[0]);
}

/** Indices that answer ranges only: the range grows until it holds one, and is then cut to a circle of it. */
function widening({ x, y, customers }, within, box) {
  return customers.map(([cx, cy]) => {
    let radius = 0.5 / Math.sqrt(x.length);
    let found = within(cx, cy, radius);
    while (found.length === 0) found = within(cx, cy, (radius *= 2));
    if (box) found = within(cx, cy, radius * Math.SQRT2);
    let nearest = -1;
    let least = Infinity;
    for (const i of found) {
      const distance = (x[i] - cx) ** 2 + (y[i] - cy) ** 2;
      if (distance < least) {
        least = distance;
        nearest = i;
      }
    }
    return nearest;
  });
}

function kdbush(input) {
  const { x, y } = input;
  const index = new KDBush(x.length);
  for (let i = 0; i < x.length; i += 1) index.add(x[i], y[i]);
  index.finish();
  return widening(input, (cx, cy, radius) => index.within(cx, cy, radius), false);
}

function rbush(input) {
  const { x, y } = input;
  const tree = new RBush();
  tree.load(Array.from(x, (at, i) => ({ minX: at, maxX: at, minY: y[i], maxY: y[i], i })));
  const within = (cx, cy, radius) =>
    tree
      .search({ minX: cx - radius, maxX: cx + radius, minY: cy - radius, maxY: cy + radius })
      .map(({ i }) => i);
  return widening(input, within, true);
}

export default {
  name: 'nearest neighbour',
  variants: { scan, flatbush, kdbush, rbush },
  size: ({ x }) => x.length,
  sizes: [20, 500, 10_000],
  inputs: (size) => {
    const random = randomFrom(size);
    const coordinates = () => Float64Array.from({ length: size }, random);
    return {
      x: coordinates(),
      y: coordinates(),
      customers: Array.from({ length: CUSTOMERS }, () => [random(), random()]),
    };
  },
};

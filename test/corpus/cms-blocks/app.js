import { createServer } from 'node:http';
import driver from '../driver.cjs';

const kinds = [
  'text',
  'image',
  'quote',
  'video',
  'code',
  'table',
  'poll',
  'map',
  'list',
  'embed',
  'file',
  'cta',
];
const blocks = Array.from({ length: 24_000 }, (_, i) => {
  const block = {};
  // Plug-ins put their own fields first.
  for (let f = 0; f < i % 11; f += 1) block[`${kinds[i % kinds.length]}${f}`] = f;
  block.width = i % 13;
  block.height = i % 7;
  block.margin = 2;
  return block;
});
const measure = (list) => {
  let area = 0;
  for (let round = 0; round < 6; round += 1) {
    for (const block of list) area += block.width * block.height + block.margin;
  }
  return area;
};
const server = createServer((_request, response) => response.end(String(measure(blocks)))).listen(
  0,
  '127.0.0.1',
);
driver.drive(server, { ratePerSecond: 40 });

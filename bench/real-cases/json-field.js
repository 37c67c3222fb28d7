// One field of a JSON object that stands at its end, of n bytes: parsing all, or looking for the key. The search is
// right only because the service writes its documents itself: the key occurs once, and outside of texts.
import { randomFrom } from '../random.js';

const parse = (text) => JSON.parse(text).total;

const PATTERN = /"total":(-?\d+)/;
const regex = (text) => Number(PATTERN.exec(text)[1]);

function indexOf(text) {
  const start = text.indexOf('"total":') + 8;
  let end = start;
  for (let code = text.charCodeAt(end); code >= 48 && code <= 57; code = text.charCodeAt(end)) end += 1;
  return Number(text.slice(start, end));
}

/** From the end, where this field is known to stand. */
function lastIndexOf(text) {
  const start = text.lastIndexOf('"total":') + 8;
  return Number(text.slice(start, text.indexOf('}', start)));
}

export default {
  name: 'JSON field',
  variants: { parse, regex, indexOf, lastIndexOf },
  sizes: [100, 5_000, 200_000],
  inputs: (size) => {
    const random = randomFrom(size);
    const items = [];
    let bytes = 40;
    for (let id = 0; bytes < size; id += 1) {
      items.push({ id, name: `item ${Math.floor(random() * 1e6)}`, price: Math.floor(random() * 1e4) });
      bytes += 48;
    }
    return JSON.stringify({ items, total: size });
  },
};

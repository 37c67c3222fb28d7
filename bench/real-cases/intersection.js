// How many ids two sorted lists share, of which one is ten times the other: merging, searching, sets, libraries.
import { createRequire } from 'node:module';
import lodash from 'lodash';
import { randomFrom } from '../random.js';

// Not among the exports that the package gives to import.
const require = createRequire(import.meta.url);
const { intersection: mnemonistSet } = require('mnemonist/set');
const { intersectionUniqueArrays } = require('mnemonist/utils/merge');

const sets = ({ few, many }) => {
  const known = new Set(many);
  return few.filter((id) => known.has(id));
};

function merge({ few, many }) {
  const shared = [];
  for (let i = 0, j = 0; i < few.length && j < many.length;) {
    if (few[i] === many[j]) {
      shared.push(few[i]);
      i += 1;
      j += 1;
    } else if (few[i] < many[j]) i += 1;
    else j += 1;
  }
  return shared;
}

/** Doubling steps, then halving (Bentley & Yao 1976). */
function galloping({ few, many }) {
  const shared = [];
  let from = 0;
  for (const id of few) {
    let step = 1;
    while (from + step < many.length && many[from + step] < id) step *= 2;
    let low = from + (step >> 1);
    let high = Math.min(from + step, many.length - 1);
    while (low < high) {
      const middle = (low + high) >> 1;
      if (many[middle] < id) low = middle + 1;
      else high = middle;
    }
    if (many[low] === id) shared.push(id);
    from = low;
  }
  return shared;
}

const includes = ({ few, many }) => few.filter((id) => many.includes(id));
const withLodash = ({ few, many }) => lodash.intersection(few, many);
const mnemonist = ({ few, many }) => intersectionUniqueArrays(few, many);
const mnemonistSets = ({ few, many }) => [...mnemonistSet(new Set(few), new Set(many))];

export default {
  name: 'intersection',
  variants: {
    sets,
    merge,
    galloping,
    includes,
    lodash: withLodash,
    mnemonist,
    'mnemonist sets': mnemonistSets,
  },
  size: ({ few }) => few.length,
  sizes: [4, 100, 3_000],
  inputs: (size) => {
    const random = randomFrom(size);
    const sorted = (count) => {
      let id = 0;
      return Array.from({ length: count }, () => (id += 1 + Math.floor(random() * ((20 * size) / count))));
    };
    return { few: sorted(size), many: sorted(size * 10) };
  },
};

// The different ones of n ids in the order of their first occurrence, where each occurs twice on average.
import arrayUniq from 'array-uniq';
import lodash from 'lodash';
import { randomFrom } from '../random.js';

const filter = (ids) => ids.filter((id, i) => ids.indexOf(id) === i);
const set = (ids) => [...new Set(ids)];
const from = (ids) => Array.from(new Set(ids));

function loop(ids) {
  const different = [];
  for (let i = 0; i < ids.length; i += 1) if (!different.includes(ids[i])) different.push(ids[i]);
  return different;
}

export default {
  name: 'dedupe',
  variants: {
    set,
    filter,
    from,
    loop,
    lodash: (ids) => lodash.uniq(ids),
    'array-uniq': (ids) => arrayUniq(ids),
  },
  sizes: [4, 30, 1_000, 10_000],
  inputs: (size) => {
    const random = randomFrom(size);
    return Array.from({ length: size }, () => Math.floor((random() * size) / 2));
  },
};

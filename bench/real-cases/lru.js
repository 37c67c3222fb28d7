// A cache of n entries under a stream of 4 n skewed requests (read, and write where it missed): four libraries and
// the Map that people write themselves. Each call makes its cache; results are the hits.
import { LRUCache } from 'lru-cache';
import { LRUMap } from 'mnemonist';
import QuickLRU from 'quick-lru';
import { lru as tinyLru } from 'tiny-lru';
import { randomFrom } from '../random.js';

// Each loop is written out, so that every one is compiled for its own cache.
function map({ keys, max }) {
  const cache = new Map();
  let hits = 0;
  for (let i = 0; i < keys.length; i += 1) {
    const key = keys[i];
    const value = cache.get(key);
    if (value !== undefined) {
      hits += 1;
      cache.delete(key);
      cache.set(key, value);
    } else {
      if (cache.size === max) cache.delete(cache.keys().next().value);
      cache.set(key, i);
    }
  }
  return hits;
}

function lruCache({ keys, max }) {
  const cache = new LRUCache({ max });
  let hits = 0;
  for (let i = 0; i < keys.length; i += 1) {
    if (cache.get(keys[i]) !== undefined) hits += 1;
    else cache.set(keys[i], i);
  }
  return hits;
}

function mnemonist({ keys, max }) {
  const cache = new LRUMap(max);
  let hits = 0;
  for (let i = 0; i < keys.length; i += 1) {
    if (cache.get(keys[i]) !== undefined) hits += 1;
    else cache.set(keys[i], i);
  }
  return hits;
}

function tiny({ keys, max }) {
  const cache = tinyLru(max);
  let hits = 0;
  for (let i = 0; i < keys.length; i += 1) {
    if (cache.get(keys[i]) !== undefined) hits += 1;
    else cache.set(keys[i], i);
  }
  return hits;
}

// Keeps up to twice as many, so that it hits more often: another function, not a faster one of the same.
function quick({ keys, max }) {
  const cache = new QuickLRU({ maxSize: max });
  let hits = 0;
  for (let i = 0; i < keys.length; i += 1) {
    if (cache.get(keys[i]) !== undefined) hits += 1;
    else cache.set(keys[i], i);
  }
  return hits;
}

export default {
  name: 'LRU',
  variants: { map, 'lru-cache': lruCache, mnemonist, 'tiny-lru': tiny, 'quick-lru': quick },
  // What counts as the same: the hits, of which quick-lru may have more.
  equivalence: (reference, hits) => hits >= reference && hits <= reference * 1.5 + 50,
  size: ({ max }) => max,
  sizes: [16, 500, 10_000],
  inputs: (max) => {
    const random = randomFrom(max);
    const keys = Array.from({ length: 4 * max }, () => `key:${Math.floor(random() ** 3 * 4 * max)}`);
    return { keys, max };
  },
};

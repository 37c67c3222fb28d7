// The ten greatest of n numbers: sorting all, a bounded heap of a library, or keeping a short sorted list.
import { Heap } from 'heap-js';
import { FixedReverseHeap } from 'mnemonist';
import TinyQueue from 'tinyqueue';
import { randomFrom } from '../random.js';

const K = 10;

const sort = (values) => Float64Array.from(values).sort().slice(-K).reverse();

function insertion(values) {
  const top = new Float64Array(K).fill(-Infinity);
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (value <= top[K - 1]) continue;
    let at = K - 1;
    for (; at > 0 && top[at - 1] < value; at -= 1) top[at] = top[at - 1];
    top[at] = value;
  }
  return top.subarray(0, Math.min(K, values.length));
}

function tinyqueue(values) {
  const queue = new TinyQueue(Array.from(values.subarray(0, K)));
  for (let i = K; i < values.length; i += 1) {
    if (values[i] <= queue.peek()) continue;
    queue.pop();
    queue.push(values[i]);
  }
  const top = new Float64Array(queue.length);
  for (let i = top.length - 1; i >= 0; i -= 1) top[i] = queue.pop();
  return top;
}

function heapJs(values) {
  const heap = new Heap(Heap.minComparator);
  heap.init(Array.from(values.subarray(0, K)));
  for (let i = K; i < values.length; i += 1) if (values[i] > heap.peek()) heap.replace(values[i]);
  return Float64Array.from(heap.toArray()).sort().reverse();
}

function mnemonist(values) {
  const heap = new FixedReverseHeap(Float64Array, (a, b) => b - a, Math.min(K, values.length));
  for (let i = 0; i < values.length; i += 1) heap.push(values[i]);
  return Float64Array.from(heap.consume());
}

export default {
  name: 'top-k',
  variants: { sort, insertion, tinyqueue, 'heap-js': heapJs, mnemonist },
  sizes: [16, 1_000, 30_000],
  inputs: (size) => {
    const random = randomFrom(size);
    return Float64Array.from({ length: size }, random);
  },
};

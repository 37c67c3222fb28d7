/** The kernels by their public names: `kernels.sum(values)`, `await kernels.background.sum(values)`. */
export * as background from './background.js';
export { bitAnd, bitAndNot, bitOr, bitXor, countBits, countCodePoints, crc32c, xxh64 } from './bytes.js';
export { groupSum, histogram, quantiles, select } from './distributions.js';
export { hexDecode, hexEncode } from './hex.js';
export { argsort, sort } from './order.js';
export { argmax, argmin, dot, max, mean, mergeMoments, min, moments, sum, variance } from './reductions.js';
export { compact, filterIndices, gather, scatter } from './selections.js';
export { axpy, prefixSum, scale } from './vectors.js';

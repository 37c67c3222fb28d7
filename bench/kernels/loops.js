// The loops in JavaScript that the kernels are held against.

/** Loops that no other kind of array has ever gone through. */
export const fresh = (source) => new Function(`return ${source}`)();

export const LOOPS = {
  sum: 'function (v) { let s = 0; for (let i = 0; i < v.length; i += 1) s += v[i]; return s; }',
  sum8: `function (v) { let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i + 7 < v.length; i += 8) { a += v[i]; b += v[i + 1]; c += v[i + 2]; d += v[i + 3];
      e += v[i + 4]; f += v[i + 5]; g += v[i + 6]; h += v[i + 7]; } return a + b + c + d + e + f + g + h; }`,
  neumaier: `function (v) { let s = 0, c = 0; for (let i = 0; i < v.length; i += 1) { const x = v[i], t = s + x;
    c += Math.abs(s) >= Math.abs(x) ? s - t + x : x - t + s; s = t; } return s + c; }`,
  welford: `function (v) { let m = 0, q = 0; for (let i = 0; i < v.length; i += 1) { const d = v[i] - m; m += d / (i + 1);
    q += d * (v[i] - m); } return q; }`,
  twoPass: `function (v) { let m = 0, q = 0; for (let i = 0; i < v.length; i += 1) m += v[i]; m /= v.length;
    for (let i = 0; i < v.length; i += 1) q += (v[i] - m) * (v[i] - m); return q; }`,
  min: 'function (v) { let m = Infinity; for (let i = 0; i < v.length; i += 1) if (v[i] < m) m = v[i]; return m; }',
  argmin: `function (v) { let m = v[0], k = 0; for (let i = 0; i < v.length; i += 1) if (v[i] < m) { m = v[i]; k = i; }
    return k; }`,
  dot: 'function (v, w) { let s = 0; for (let i = 0; i < v.length; i += 1) s += v[i] * w[i]; return s; }',
  scale: 'function (v, a) { for (let i = 0; i < v.length; i += 1) v[i] *= a; }',
  axpy: 'function (a, v, w) { for (let i = 0; i < v.length; i += 1) w[i] += a * v[i]; }',
  prefix: 'function (v, o) { let s = 0; for (let i = 0; i < v.length; i += 1) o[i] = s += v[i]; }',
  histogram: `function (v, low, high, o) { const k = 64 / (high - low); for (let i = 0; i < v.length; i += 1) {
    const x = v[i]; if (x >= low && x <= high) { const j = ((x - low) * k) | 0; o[j < 64 ? j : 63] += 1; } } }`,
  group: `function (k, v, s, c) { s.fill(0); c.fill(0);
    for (let i = 0; i < v.length; i += 1) { s[k[i]] += v[i]; c[k[i]] += 1; } }`,
  compact: `function (v, o) { let k = 0; for (let i = 0; i < v.length; i += 1) { o[k] = v[i]; k += v[i] > 500 ? 1 : 0; }
    return k; }`,
  filter: `function (v, o) { let k = 0; for (let i = 0; i < v.length; i += 1) { o[k] = i; k += v[i] > 500 ? 1 : 0; }
    return k; }`,
  scatter: 'function (v, x, o) { for (let i = 0; i < x.length; i += 1) o[x[i]] = v[i]; }',
  gather: 'function (v, x, o) { for (let i = 0; i < x.length; i += 1) o[i] = v[x[i]]; }',
  and: 'function (a, b, o) { for (let i = 0; i < a.length; i += 1) o[i] = a[i] & b[i]; }',
  count: `function (a) { let t = 0; for (let i = 0; i < a.length; i += 1) { let x = a[i]; x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333); t += Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24; }
    return t; }`,
  points:
    'function (a) { let t = 0; for (let i = 0; i < a.length; i += 1) t += (a[i] & 0xc0) !== 0x80 ? 1 : 0; return t; }',
  crc: 'function (a, T) { let c = -1; for (let i = 0; i < a.length; i += 1) c = (c >>> 8) ^ T[(c ^ a[i]) & 255]; return ~c >>> 0; }',
};

export const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

let state = 12345;
/** From 0 to 1, the same in every run. */
export const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;

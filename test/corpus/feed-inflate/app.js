import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

const rows = Array.from({ length: 40_000 }, (_, i) => `${i};item ${i % 97};${(i * 31) % 1009}`).join('\n');
const packed = brotliCompressSync(rows, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
const queue = [];
const decode = (message) => brotliDecompressSync(message.payload).toString('latin1');
const count = (text, needle) => {
  let found = 0;
  for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 50_000)) found += 1;
  return found;
};
let total = 0;
async function consume() {
  const message = queue.shift();
  if (message === undefined) return;
  total += count(decode(message), ';item 3;');
}
setInterval(() => queue.push({ payload: packed }), 40);
setInterval(() => void consume(), 10);

// Places of a line break sequence in n bytes of a multipart body: Node's own search, a library that streams, a loop
// that skips (Horspool), and a regular expression on the decoded text.
import StreamSearch from 'streamsearch';
import { randomFrom } from '../random.js';

const NEEDLE = Buffer.from('\r\n--boundary7f3a');

function indexOf(body) {
  let count = 0;
  for (let at = body.indexOf(NEEDLE); at !== -1; at = body.indexOf(NEEDLE, at + NEEDLE.length)) count += 1;
  return count;
}

function streamsearch(body) {
  let count = 0;
  new StreamSearch(NEEDLE, (isMatch) => {
    if (isMatch) count += 1;
  }).push(body);
  return count;
}

const LAST = NEEDLE.length - 1;
const SKIP = new Uint8Array(256).fill(NEEDLE.length);
for (let i = 0; i < LAST; i += 1) SKIP[NEEDLE[i]] = LAST - i;

function horspool(body) {
  let count = 0;
  for (let at = 0; at + LAST < body.length;) {
    let i = LAST;
    while (i >= 0 && body[at + i] === NEEDLE[i]) i -= 1;
    if (i < 0) {
      count += 1;
      at += NEEDLE.length;
    } else at += SKIP[body[at + LAST]];
  }
  return count;
}

const PATTERN = new RegExp(NEEDLE.toString('latin1'), 'g');
const regex = (body) => body.latin1Slice(0, body.length).match(PATTERN)?.length ?? 0;

export default {
  name: 'string search',
  variants: { regex, indexOf, streamsearch, horspool },
  sizes: [100, 4_000, 200_000],
  inputs: (size) => {
    const random = randomFrom(size);
    const body = Buffer.from(Array.from({ length: size }, () => 32 + Math.floor(random() * 90)));
    for (let at = 50; at + NEEDLE.length <= size; at += 3_000) NEEDLE.copy(body, at);
    return body;
  },
};

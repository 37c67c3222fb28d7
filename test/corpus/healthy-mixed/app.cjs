'use strict';
// Half busy with work of many kinds, none of which stands out.
const crypto = require('node:crypto');
const fs = require('node:fs/promises');
const http = require('node:http');
const { drive } = require('../driver.cjs');

const notes = new Map();
const digest = (text) => crypto.createHash('sha256').update(text).digest('base64url');
const words = (text) => text.toLowerCase().split(/\W+/);
const count = (list) =>
  list.reduce((counts, word) => counts.set(word, (counts.get(word) ?? 0) + 1), new Map());
const page = (note) =>
  `<h1>${note.id}</h1><ul>${[...note.counts].map(([w, n]) => `<li>${w} ${n}</li>`).join('')}</ul>`;
const server = http
  .createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const note = { id: digest(text + notes.size), counts: count(words(text)) };
    notes.set(notes.size % 1000, note);
    const { size } = notes.size % 50 === 0 ? await fs.stat(__filename) : { size: 0 };
    response.setHeader('x-size', size);
    response.end(page(note));
  })
  .listen(0, '127.0.0.1');
drive(server, {
  ratePerSecond: 1100,
  body: 'The quick brown fox jumps over the lazy dog and the dog sleeps on.',
});

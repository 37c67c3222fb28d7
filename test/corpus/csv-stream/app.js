import { setTimeout as sleep } from 'node:timers/promises';

const QUOTED = /^("([^"]*)*"|[^,]*)(,("([^"]*)*"|[^,]*))*$/;

/** Lines as they arrive from somewhere; now and then one with a quotation mark that nothing closes. */
async function* lines() {
  for (let i = 0; ; i += 1) {
    await sleep(20);
    yield i % 5 === 0 ? `7,"an open quotation of ${i}` : `${i},"Ada",engine,42`;
  }
}

class CsvReader {
  rows = 0;
  parseFields(line) {
    const match = QUOTED.exec(line);
    this.rows += 1;
    return match === null ? [] : match[0].split(',');
  }

  async *records(source) {
    for await (const line of source) yield this.parseFields(line);
  }
}

const reader = new CsvReader();
let fields = 0;
for await (const record of reader.records(lines())) fields += record.length;

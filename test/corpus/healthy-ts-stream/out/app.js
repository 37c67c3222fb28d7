import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { drive } from '../../driver.cjs';
class Readings {
    #count;
    constructor(count) {
        this.#count = count;
    }
    async *[Symbol.asyncIterator]() {
        for (let i = 0; i < this.#count; i += 1)
            yield { station: i % 7, at: i, value: Math.cos(i) };
    }
}
async function* ndjson(source) {
    for await (const reading of source)
        yield `${JSON.stringify(reading)}\n`;
}
const server = createServer((_request, response) => {
    pipeline(Readable.from(ndjson(new Readings(20))), response).catch(() => response.destroy());
}).listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 150 });
//# sourceMappingURL=app.js.map
import { createServer } from 'node:http';
import { drive } from '../../driver.cjs';
class Repository {
    constructor() {
        this.rows = new Map();
    }
    /** Gives copies, so that callers cannot change what is stored. */
    copy(row) {
        return JSON.parse(JSON.stringify(row));
    }
}
class OrderRepository extends Repository {
    constructor(count) {
        super();
        for (let id = 0; id < count; id += 1) {
            const lines = Array.from({ length: 400 }, (_, i) => ({
                sku: `sku-${id}-${i}`,
                quantity: i % 7,
                price: i * 1.1,
            }));
            this.rows.set(id, { id, lines });
        }
    }
    find(id) {
        const row = this.rows.get(id);
        if (row === undefined)
            throw new RangeError(`no order ${id}`);
        return this.copy(row);
    }
}
const orders = new OrderRepository(50);
let served = 0;
const server = createServer((_request, response) => {
    const order = orders.find(served++ % 50);
    response.end(String(order.lines.length));
}).listen(0, '127.0.0.1');
drive(server, { ratePerSecond: Infinity, connections: 16 });
//# sourceMappingURL=app.js.map
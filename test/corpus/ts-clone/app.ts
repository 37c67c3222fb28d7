import { createServer } from 'node:http';
import { drive } from '../driver.cjs';

interface Order {
  id: number;
  lines: { sku: string; quantity: number; price: number }[];
}

abstract class Repository<T> {
  protected readonly rows = new Map<number, T>();

  /** Gives copies, so that callers cannot change what is stored. */
  protected copy(row: T): T {
    return JSON.parse(JSON.stringify(row)) as T;
  }
}

class OrderRepository extends Repository<Order> {
  constructor(count: number) {
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

  find(id: number): Order {
    const row = this.rows.get(id);
    if (row === undefined) throw new RangeError(`no order ${id}`);
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

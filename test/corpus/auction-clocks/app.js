import { createServer } from 'node:http';
import driver from '../driver.cjs';

const TICK_MS = 40;

class Auction {
  #clock = null;
  bids = [];

  constructor(lot, durationMs) {
    this.lot = lot;
    this.leftMs = durationMs;
    this.durationMs = durationMs;
  }

  /** Each clock ticks with a little jitter, so that not all do at once. */
  armClock() {
    const waitMs = TICK_MS + Math.random() * 20;
    this.#clock = setTimeout(() => {
      this.leftMs -= waitMs;
      if (this.leftMs <= 0) this.leftMs = this.durationMs;
      this.armClock();
    }, waitMs);
  }

  bid(bidder, amount) {
    const [top] = this.bids;
    if (top !== undefined && amount <= top.amount) return false;
    this.bids.unshift({ bidder, amount });
    this.bids.length = Math.min(this.bids.length, 10);
    return true;
  }

  close() {
    clearTimeout(this.#clock);
  }
}

const auctions = Array.from({ length: 9_000 }, (_, lot) => new Auction(lot, 60_000 + (lot % 500) * 100));
for (const auction of auctions) auction.armClock();

let bids = 0;
const server = createServer((request, response) => {
  const auction = auctions[Number(request.url.split('/')[2])];
  if (auction === undefined) return response.writeHead(404).end();
  if (request.method === 'POST') auction.bid('someone', (bids += 1));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ lot: auction.lot, leftMs: auction.leftMs, top: auction.bids[0] ?? null }));
}).listen(0, '127.0.0.1');
process.once('SIGINT', () => {
  for (const auction of auctions) auction.close();
  server.close();
});
driver.drive(server, { ratePerSecond: 40, paths: ['/lots/5', '/lots/812', '/lots/8999'] });

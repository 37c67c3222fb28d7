import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { drive } from '../driver.cjs';

interface Point {
  readonly lat: number;
  readonly lon: number;
}

interface Fence {
  readonly id: string;
  readonly ring: readonly Point[];
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** The zones of the city in which scooters may not be parked. */
class FenceIndex {
  private readonly fences: Fence[] = [];

  add(id: string, ring: readonly Point[]): void {
    if (ring.length < 3) throw new RangeError(`fence ${id} has ${ring.length} points`);
    this.fences.push({ id, ring });
  }

  locate(point: Point): string[] {
    const hits: string[] = [];
    for (const fence of this.fences) {
      if (this.contains(fence.ring, point)) hits.push(fence.id);
    }
    return hits;
  }

  private contains(ring: readonly Point[], { lat, lon }: Point): boolean {
    let inside = false;
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const a = ring[i]!;
      const b = ring[j]!;
      const crosses = a.lat > lat !== b.lat > lat;
      if (crosses && lon < ((b.lon - a.lon) * (lat - a.lat)) / (b.lat - a.lat) + a.lon) inside = !inside;
    }
    return inside;
  }
}

const fences = new FenceIndex();
for (let i = 0; i < 260; i += 1) {
  const centre = { lat: 48 + (i % 20) / 50, lon: 16 + Math.floor(i / 20) / 40 };
  const ring: Point[] = [];
  for (let k = 0; k < 420; k += 1) {
    const angle = (k / 420) * 2 * Math.PI;
    const radius = 0.004 + 0.001 * Math.sin(angle * 9);
    ring.push({ lat: centre.lat + radius * Math.sin(angle), lon: centre.lon + radius * Math.cos(angle) });
  }
  fences.add(`zone-${i}`, ring);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

const isPoint = (value: unknown): value is Point =>
  typeof (value as Point).lat === 'number' && typeof (value as Point).lon === 'number';

const routes = new Map<string, Handler>([
  ['GET /health', (_request, response) => void response.end('ok')],
  [
    'POST /positions',
    async (request, response) => {
      const positions = (await readBody(request)) as unknown[];
      const violations = positions.filter(isPoint).map((point) => fences.locate(point));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ violations }));
    },
  ],
]);

const server = createServer((request, response) => {
  const handler = routes.get(`${String(request.method)} ${String(request.url)}`);
  if (handler === undefined) {
    response.statusCode = 404;
    response.end();
    return;
  }
  Promise.resolve(handler(request, response)).catch(() => {
    response.statusCode = 400;
    response.end('bad request');
  });
}).listen(0, '127.0.0.1');

const body = JSON.stringify(
  Array.from({ length: 24 }, (_, i) => ({ lat: 48 + (i * 7) / 400, lon: 16 + (i * 5) / 390 })),
);
drive(server, { ratePerSecond: 40, paths: ['/positions'], body });

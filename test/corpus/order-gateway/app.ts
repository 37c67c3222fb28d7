import { createServer } from 'node:http';
import { drive } from '../driver.cjs';
import { startDownstream } from '../downstream.js';

interface User {
  readonly name: string;
}

class NotFound extends Error {
  readonly status = 404;
}

class Backend {
  private readonly origin: string;

  constructor(origin: string) {
    this.origin = origin;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.origin + path, { signal: AbortSignal.timeout(2000) });
    if (response.status === 404) throw new NotFound(path);
    return (await response.json()) as T;
  }
}

type Action = (params: Record<string, string>) => Promise<unknown>;

class Routes {
  private readonly entries: { pattern: RegExp; action: Action }[] = [];

  on(path: string, action: Action): this {
    const source = path.replace(/:(\w+)/g, '(?<$1>[^/]+)');
    this.entries.push({ pattern: new RegExp(`^${source}$`), action });
    return this;
  }

  async handle(url: string): Promise<unknown> {
    for (const { pattern, action } of this.entries) {
      const match = pattern.exec(url);
      if (match !== null) return action({ ...match.groups });
    }
    throw new NotFound(url);
  }
}

const [users, orders] = await Promise.all(
  [12, 18].map(async (delayMs) => new Backend(`http://127.0.0.1:${await startDownstream({ delayMs })}`)),
);

const routes = new Routes()
  .on('/users/:id', ({ id }) => users!.get<User>(`/users/${String(id)}`))
  .on('/users/:id/orders', async ({ id }) => {
    const [user, order] = await Promise.all([
      users!.get<User>(`/users/${String(id)}`),
      orders!.get<User>(`/by/${String(id)}`),
    ]);
    return { id, user: user.name, contact: order.name };
  });

const server = createServer((request, response) => {
  routes
    .handle(request.url ?? '/')
    .then((body) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(body));
    })
    .catch((error: Error & { status?: number }) => {
      response.statusCode = error.status ?? 502;
      response.end(error.message);
    });
}).listen(0, '127.0.0.1');
drive(server, {
  ratePerSecond: 110,
  connections: 12,
  paths: ['/users/4', '/users/9/orders', '/users/2/orders', '/none'],
});

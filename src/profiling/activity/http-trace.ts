/**
 * Requests that the program makes, until the first byte of the answer's head, and those that it serves.
 *
 * Outgoing ones are seen where every agent takes them on, whatever function made them; `fetch` by a replacement,
 * since its own events come after the caller's stack is gone.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { errorMonitor, type EventEmitter } from 'node:events';
import type { ActivityTable, Operation } from './activity-table.js';
import type { AnyFunction, Patches } from './patches.js';

type Listener = (message: unknown) => void;

interface ClientRequest extends EventEmitter {
  readonly reusedSocket?: boolean;
  readonly socket?: object | null;
  readonly method?: string;
}

export class HttpTrace {
  readonly #table: ActivityTable;
  readonly #operations = new WeakMap<object, Operation>();
  readonly #served = new WeakMap<object, Operation>();
  readonly #usedSockets = new WeakSet<object>();
  readonly #seenSockets = new WeakSet<object>();
  readonly #listeners: [channel: string, listener: Listener][];
  /** Connections on which a request came in, each counted once. */
  incomingConnections = 0;
  /** By `host:port`, as undici reports them. */
  readonly fetchConnections = new Map<string, number>();

  constructor(table: ActivityTable) {
    this.#table = table;
    this.#listeners = [
      ['http.client.response.finish', (message) => this.#answered((message as Pair).request)],
      ['http.server.request.start', (message) => this.#arrived(message as Pair)],
      ['http.server.response.finish', (message) => this.#left(message as Pair)],
      ['undici:client:connected', (message) => this.#connected(message as Connected)],
    ];
  }

  install(patches: Patches): void {
    const { Agent } = process.getBuiltinModule('node:http');
    patches.wrap(Agent.prototype, 'addRequest', (original) => this.#addRequest(original));
    patches.wrap(globalThis, 'fetch', (original) => this.#fetch(original));
    for (const [channel, listener] of this.#listeners) subscribe(channel, listener);
  }

  uninstall(): void {
    for (const [channel, listener] of this.#listeners) unsubscribe(channel, listener);
  }

  #addRequest(original: AnyFunction): AnyFunction {
    const table = this.#table;
    const operations = this.#operations;
    return function tracedRequest(this: unknown, ...args: unknown[]): unknown {
      const [request, options] = args as [
        ClientRequest,
        { host?: string; port?: number | string } | undefined,
      ];
      if (table.recording) {
        const target = `${options?.host ?? 'localhost'}:${options?.port ?? ''}`;
        const operation = table.begin('http', request.method ?? 'GET', target, tracedRequest);
        operations.set(request, operation);
        // Each comes once, and does nothing a second time: `once` would wrap both of every request.
        request.on(errorMonitor, () => table.end(operation, { failed: true }));
        request.on('close', () => table.cancel(operation));
      }
      return Reflect.apply(original, this, args);
    };
  }

  #answered(request: ClientRequest): void {
    const operation = this.#operations.get(request);
    if (operation === undefined) return;
    const { socket } = request;
    // A request that waited for a socket gets a used one without being told so.
    const isUsed = request.reusedSocket === true || (socket != null && this.#usedSockets.has(socket));
    if (socket != null) this.#usedSockets.add(socket);
    this.#table.end(operation, { newConnection: !isUsed });
  }

  #fetch(original: AnyFunction): AnyFunction {
    const table = this.#table;
    return function tracedFetch(this: unknown, ...args: unknown[]): unknown {
      if (!table.recording) return Reflect.apply(original, this, args);
      const [input, init] = args as [unknown, { method?: string } | undefined];
      const method = init?.method ?? (input as { method?: string } | undefined)?.method ?? 'GET';
      const operation = table.begin('http', method.toUpperCase(), hostOf(input), tracedFetch);
      const result = Reflect.apply(original, this, args) as Promise<unknown>;
      return result.then(
        (value) => {
          table.end(operation);
          return value;
        },
        (error: unknown) => {
          table.end(operation, { failed: true });
          throw error;
        },
      );
    };
  }

  #connected({ connectParams }: Connected): void {
    if (!this.#table.recording || connectParams === undefined) return;
    const { hostname, host, port, protocol } = connectParams;
    const key = withPort(hostname ?? host ?? '', String(port ?? ''), protocol ?? 'http:');
    if (this.fetchConnections.size < 256 || this.fetchConnections.has(key))
      this.fetchConnections.set(key, (this.fetchConnections.get(key) ?? 0) + 1);
  }

  #arrived({ request, socket }: Pair): void {
    if (!this.#table.recording) return;
    if (socket !== undefined && !this.#seenSockets.has(socket)) {
      this.#seenSockets.add(socket);
      this.incomingConnections += 1;
    }
    this.#served.set(request, this.#table.begin('http-server', 'request', '', noStack, null));
  }

  #left({ request }: Pair): void {
    const operation = this.#served.get(request);
    if (operation !== undefined) this.#table.end(operation);
  }
}

interface Pair {
  readonly request: ClientRequest;
  readonly socket?: object;
}

interface Connected {
  readonly connectParams?: { hostname?: string; host?: string; port?: string | number; protocol?: string };
}

function noStack(): void {}

function hostOf(input: unknown): string {
  const text =
    typeof input === 'string'
      ? input
      : input instanceof URL
        ? input.href
        : ((input as { url?: string } | undefined)?.url ?? '');
  const match = /^(https?:)\/\/(?:[^/?#@]*@)?([^/?#:]+|\[[^\]]*\])(?::(\d+))?/i.exec(text);
  return match === null ? '' : withPort(match[2]!, match[3] ?? '', match[1]!.toLowerCase());
}

function withPort(host: string, port: string, protocol: string): string {
  return `${host.replace(/:\d+$/, '')}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

/**
 * Sockets: connecting (and the name look-up within it), exchanges of any request-and-answer protocol, and writes
 * into a stream that has asked its writer to stop.
 */
/* eslint-disable @typescript-eslint/no-this-alias -- a replaced function has its caller's `this`; the trace needs a name beside it. */
import { errorMonitor } from 'node:events';
import { Socket } from 'node:net';
import { Duplex, Writable } from 'node:stream';
import type { ActivityTable, Operation } from './activity-table.js';
import type { CallSite } from './call-site.js';
import type { AnyFunction, Patches } from './patches.js';
import type { Family } from './traced.js';

interface AnyWritable {
  readonly writableNeedDrain?: boolean;
  readonly writableLength?: number;
  readonly writableHighWaterMark?: number;
}

interface AnySocket extends Socket {
  readonly server?: unknown;
  readonly parser?: unknown;
  readonly _httpMessage?: unknown;
}

/** A stream that holds this many times what it wants to hold is not merely a moment late. */
const FAR_OVER = 4;
/** A program with more of them open than this leaks them, and the count need not go on. */
const MAX_OPEN = 10_000;

export class SocketTrace {
  readonly #table: ActivityTable;
  readonly #lookUps: Family;
  readonly #exchanges = new WeakMap<object, Operation>();
  readonly #open = new Map<object, CallSite | null>();

  constructor(table: ActivityTable, lookUps: Family) {
    this.#table = table;
    this.#lookUps = lookUps;
  }

  /** Sockets that connected in the window and are still open, by where they were asked for. */
  get openSockets(): ReadonlyMap<object, CallSite | null> {
    return this.#open;
  }

  install(patches: Patches): void {
    patches.wrap(Socket.prototype, 'connect', (original) => this.#connect(original));
    patches.wrap(Socket.prototype, 'push', (original) => this.#push(original));
    const { OutgoingMessage } = process.getBuiltinModule('node:http');
    for (const { prototype } of [Writable, Duplex, OutgoingMessage])
      patches.wrap(prototype, 'write', (original) => this.#write(original));
  }

  #connect(original: AnyFunction): AnyFunction {
    const table = this.#table;
    const lookUps = this.#lookUps;
    const open = this.#open;
    return function tracedConnect(this: unknown, ...args: unknown[]): unknown {
      if (!table.recording) return Reflect.apply(original, this, args);
      const socket = this as AnySocket;
      const target = targetOf(args);
      const site = table.capture(tracedConnect);
      const operation = table.begin('connect', 'connect', target, tracedConnect, site);
      lookUps.depth += 1;
      try {
        return Reflect.apply(original, this, args);
      } catch (error) {
        table.cancel(operation);
        throw error;
      } finally {
        lookUps.depth -= 1;
        // An address in numbers is "looked up" at once; only names are worth a row.
        const lookUp = isName(target) ? table.begin('dns', 'look-up', target, tracedConnect, site) : null;
        const settle = (failed: boolean) => {
          if (lookUp !== null) table.end(lookUp, { failed });
          table.end(operation, { failed });
        };
        socket.once('lookup', (error: Error | null) => {
          if (lookUp !== null) table.end(lookUp, { failed: error != null });
        });
        socket.once('connect', () => {
          settle(false);
          if (table.recording && open.size < MAX_OPEN) open.set(socket, site);
        });
        socket.once(errorMonitor as unknown as 'error', () => settle(true));
        socket.once('close', () => {
          settle(true);
          open.delete(socket);
        });
      }
    };
  }

  /** The first bytes after a write are its answer. HTTP is timed by its own trace. */
  #push(original: AnyFunction): AnyFunction {
    const exchanges = this.#exchanges;
    const table = this.#table;
    return function tracedPush(this: unknown, ...args: unknown[]): unknown {
      const operation = table.recording ? exchanges.get(this as object) : undefined;
      if (operation !== undefined) {
        exchanges.delete(this as object);
        table.end(operation);
      }
      return Reflect.apply(original, this, args);
    };
  }

  #write(original: AnyFunction): AnyFunction {
    const trace = this;
    return function tracedWrite(this: unknown, ...args: unknown[]): unknown {
      if (!trace.#table.recording) return Reflect.apply(original, this, args);
      const stream = this as AnyWritable;
      const wasFull = stream.writableNeedDrain === true;
      if (stream instanceof Socket) trace.#beginExchange(stream, tracedWrite);
      const result = Reflect.apply(original, this, args);
      if (wasFull) trace.#overfilled(stream, tracedWrite);
      return result;
    };
  }

  #beginExchange(socket: AnySocket, below: AnyFunction): void {
    if (socket.server != null || socket.parser != null || socket._httpMessage != null) return;
    if (socket.remotePort === undefined || this.#exchanges.has(socket)) return;
    const target = `${socket.remoteAddress ?? ''}:${socket.remotePort}`;
    this.#exchanges.set(socket, this.#table.begin('socket', 'exchange', target, below));
  }

  #overfilled(stream: AnyWritable, below: AnyFunction): void {
    const length = stream.writableLength ?? 0;
    if (length < FAR_OVER * (stream.writableHighWaterMark ?? 16_384)) return;
    const operation = this.#table.begin('overfilled-write', nameOf(stream), '', below);
    this.#table.end(operation);
    const { row } = operation;
    if (row !== null) row.peakBufferedBytes = Math.max(row.peakBufferedBytes, length);
  }
}

function nameOf(stream: object): string {
  return `${stream.constructor.name}.write`;
}

/** `connect(options)`, `connect(port, host)`, `connect(path)`, or Node's own list of the normalised ones. */
function targetOf(args: readonly unknown[]): string {
  const first = Array.isArray(args[0]) ? (args[0] as unknown[])[0] : args[0];
  if (typeof first === 'object' && first !== null) {
    const { host, port, path } = first as { host?: string; port?: number | string; path?: string };
    return port === undefined ? (path ?? '') : `${host ?? 'localhost'}:${port}`;
  }
  if (typeof first === 'string' && !/^\d+$/.test(first)) return first;
  return `${typeof args[1] === 'string' ? args[1] : 'localhost'}:${String(first)}`;
}

function isName(target: string): boolean {
  const host = target.replace(/:\d*$/, '');
  return (
    host !== '' &&
    !host.includes('/') &&
    !/^[\d.]+$/.test(host) &&
    !host.includes(':') &&
    !host.startsWith('[')
  );
}

/**
 * Which backend a queue lives in, whether it answers, and the BullMQ objects on it.
 *
 * BullMQ and its drivers are optional peer dependencies and are loaded on the first connection (about 180 ms), never
 * on import. The backend is tried by a plain socket first: the drivers retry an unreachable host without end and
 * without a word, which is right after a restart and wrong at a start with a mistyped port.
 */
import { connect as openSocket } from 'node:net';
import type * as BullMQ from 'bullmq';
import { describe, fail } from '../../errors.js';

/**
 * `redis://`, `rediss://`, `postgres://` or `postgresql://` URL, the path of a Unix socket of Redis, or an object of
 * options for ioredis (a URL's password stays out of messages).
 */
export type QueueConnection = string | Readonly<Record<string, unknown>>;

export const DEFAULT_CONNECTION = 'redis://127.0.0.1:6379';

export interface Backend {
  readonly bullmq: typeof BullMQ;
  readonly kind: 'redis' | 'postgres';
  /** For messages: without credentials. */
  readonly label: string;
  /** Options of every BullMQ object. */
  readonly base: BullMQ.QueueOptions;
  /** Third argument of Queue and QueueEvents, fourth of Worker: undefined for Redis. */
  readonly factory: undefined;
}

export interface BackendRequest {
  readonly queue: string;
  readonly connection: QueueConnection;
  /** Of the keys in Redis. */
  readonly prefix: string | undefined;
  readonly connectTimeoutMs: number;
}

interface Address {
  readonly kind: 'redis' | 'postgres';
  readonly label: string;
  /** What the driver takes. */
  readonly options: Record<string, unknown>;
  /** Where to knock; undefined where only the driver knows (clusters, sentinels). */
  readonly socket: { readonly path: string } | { readonly host: string; readonly port: number } | undefined;
}

/** @throws INVALID_ARGUMENT */
export function addressOf(connection: QueueConnection): Address {
  if (typeof connection === 'string') return addressOfText(connection);
  if (typeof connection !== 'object' || connection === null) throw wrongConnection(connection);
  const { host = '127.0.0.1', port = 6379, path, sentinels, url } = connection;
  const options = { ...connection };
  if (typeof url === 'string') return { ...addressOfText(url), options };
  if (typeof path === 'string')
    return { kind: 'redis', label: `redis at ${path}`, options, socket: { path } };
  if (typeof host !== 'string' || typeof port !== 'number') throw wrongConnection(connection);
  const socket = sentinels === undefined ? { host, port } : undefined;
  return { kind: 'redis', label: `redis://${host}:${port}`, options, socket };
}

function addressOfText(text: string): Address {
  if (text.startsWith('/')) {
    return { kind: 'redis', label: `redis at ${text}`, options: { path: text }, socket: { path: text } };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  if (url !== undefined && /^rediss?:$/.test(url.protocol) && host !== '') {
    const port = Number(url.port || 6379);
    const label = `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
    return { kind: 'redis', label, options: { url: text }, socket: { host, port } };
  }
  if (url !== undefined && /^postgres(?:ql)?:$/.test(url.protocol)) {
    const port = Number(url.port || 5432);
    const folder = url.searchParams.get('host');
    const label = `${url.protocol}//${url.host}${url.pathname}`;
    const socket = folder?.startsWith('/') ? { path: `${folder}/.s.PGSQL.${port}` } : { host, port };
    return { kind: 'postgres', label, options: { connectionString: text }, socket };
  }
  throw wrongConnection(text.replace(/\/\/[^@/]*@/, '//'));
}

function wrongConnection(actual: unknown): Error {
  return fail('INVALID_ARGUMENT', {
    name: 'connection',
    actual: describe(actual),
    expected: 'a redis://, rediss:// or postgres:// URL, the path of a socket, or options of ioredis',
  });
}

/** @throws PACKAGE_REQUIRED, BACKEND_UNREACHABLE, INVALID_ARGUMENT */
export async function openBackend(request: BackendRequest): Promise<Backend> {
  const { queue, prefix, connectTimeoutMs } = request;
  const address = addressOf(request.connection);
  const { kind, label } = address;
  const driver = kind === 'redis' ? 'ioredis' : 'pg';
  const bullmq = await loadPackage('bullmq', () => import('bullmq'), driver);
  await loadPackage<unknown>(driver, () => import(driver), driver);
  if (kind === 'postgres' && bullmq.createPostgresBackend === undefined) {
    throw fail('NOT_SUPPORTED', {
      what: 'The PostgreSQL backend',
      where: 'by the installed bullmq',
      remedy: 'Install bullmq 6 or later.',
    });
  }
  if (address.socket !== undefined) await knock(address.socket, queue, label, connectTimeoutMs);
  // Tables of BullMQ's own schema are made where they are missing.
  const connection = kind === 'postgres' ? { ...address.options, migrate: true } : address.options;
  return {
    bullmq,
    kind,
    label,
    base: { connection, ...(prefix !== undefined && { prefix }) },
    // The constructors' types tie the factory to the connection; here both vary together.
    factory: (kind === 'postgres' ? bullmq.createPostgresBackend : undefined) as undefined,
  };
}

async function loadPackage<T>(name: string, load: () => Promise<T>, driver: string): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw fail(
      'PACKAGE_REQUIRED',
      {
        what: 'The BullMQ executor',
        package: name,
        reason: (cause as Error).message.split('\n')[0] ?? '',
        install: `bullmq ${driver}`,
      },
      { cause },
    );
  }
}

function knock(
  where: { readonly path: string } | { readonly host: string; readonly port: number },
  queue: string,
  backend: string,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve, reject: (error: Error) => void) => {
    const socket = openSocket(where, () => {
      socket.destroy();
      resolve();
    });
    const refuse = (reason: string, cause?: NodeJS.ErrnoException) => {
      socket.destroy();
      const errno = cause?.code;
      reject(
        fail(
          'BACKEND_UNREACHABLE',
          { queue, backend, reason },
          { cause, ...(errno !== undefined && { errno, syscall: 'connect' }) },
        ),
      );
    };
    socket.setTimeout(timeoutMs, () => refuse(`it did not answer within ${timeoutMs} ms.`));
    socket.once('error', (error) =>
      refuse(`${error.message || String((error as NodeJS.ErrnoException).code)}.`, error),
    );
  });
}

/**
 * Waits until BullMQ objects can be used, for at most `timeoutMs`; what is not ready then is not closed here.
 *
 * @throws BACKEND_UNREACHABLE with the last error that the driver told (a wrong password, say).
 */
export async function whenReady(
  objects: readonly {
    waitUntilReady(): Promise<unknown>;
    on(event: 'error', listener: (error: Error) => void): unknown;
    off(event: 'error', listener: (error: Error) => void): unknown;
  }[],
  { queue, label, timeoutMs }: { readonly queue: string; readonly label: string; readonly timeoutMs: number },
): Promise<void> {
  let last: Error | undefined;
  const note = (error: Error) => {
    last = error;
  };
  for (const object of objects) object.on('error', note);
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(last ?? new Error(`it is not ready after ${timeoutMs} ms`)), timeoutMs);
    });
    await Promise.race([Promise.all(objects.map((object) => object.waitUntilReady())), late]);
  } catch (cause) {
    const reason = `${((last ?? cause) as Error).message.replace(/\.$/, '')}.`;
    throw fail('BACKEND_UNREACHABLE', { queue, backend: label, reason }, { cause });
  } finally {
    clearTimeout(timer);
    for (const object of objects) object.off('error', note);
  }
}

interface Closable {
  readonly backend: { close(force: boolean): Promise<void> };
}

/** Longest wait for the end of connections whose backend may not answer. */
export const CLOSE_MS = 2_000;

/**
 * Closes BullMQ objects in order, and where the backend does not answer, without it: they would wait for it to come
 * back in order to say good-bye, and keep the process alive.
 */
export async function closeAll(
  backend: Backend,
  objects: readonly (Closable & { close(): Promise<void> })[],
  timeoutMs = CLOSE_MS,
): Promise<void> {
  if (
    await isSettledInTime(
      objects.map((object) => object.close()),
      timeoutMs,
    )
  ) {
    return;
  }
  if (backend.kind !== 'redis') return;
  await isSettledInTime(
    objects.map(async (object) => (await (object as unknown as BullMQ.Queue).backend.client).disconnect()),
  );
}

/** Gives up BullMQ objects that never became ready. */
export async function abandon(objects: readonly Closable[]): Promise<void> {
  await isSettledInTime(objects.map((object) => object.backend.close(true)));
}

async function isSettledInTime(
  promises: readonly Promise<unknown>[],
  timeoutMs = CLOSE_MS,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const settled = Promise.allSettled(promises).then(() => true);
  const inTime = await Promise.race([settled, late]);
  clearTimeout(timer);
  return inTime;
}

/** Where payloads lie that are too large for a job: keys of the same Redis, or files of a folder that all share. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface PayloadStore {
  /** Why nothing can be stored; undefined where it can. */
  readonly refusal?: string;
  /** Stores a text for at least `keepMs`, over what was there; gives its reference. */
  put(key: string, text: string, keepMs: number): Promise<string>;
  get(reference: string): Promise<string | undefined>;
  delete(reference: string): Promise<void>;
  /** Removes what has been kept long enough, where the store does not do so itself. */
  sweep(): Promise<void>;
}

/** The commands of Redis that are needed, as BullMQ's client has them. */
export interface RedisStrings {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, options: { PX: number }): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

/** @param prefix of the queue's keys, the queue's name included: `bull:thumbnails`. */
export function redisStore(client: () => Promise<RedisStrings>, prefix: string): PayloadStore {
  const keyOf = (reference: string) => `${prefix}:payload:${reference.replace(/^redis:/, '')}`;
  return {
    async put(key, text, keepMs) {
      await (await client()).set(keyOf(key), text, { PX: Math.ceil(keepMs) });
      return `redis:${key}`;
    },
    async get(reference) {
      return (await (await client()).get(keyOf(reference))) ?? undefined;
    },
    async delete(reference) {
      await (await client()).del(keyOf(reference));
    },
    sweep: () => Promise.resolve(),
  };
}

/** Ours alone: the folder may hold other files. */
const STORED = /\.(?:arguments|results)\.(\d+)\.json$/;

/** File names carry the time until which they are kept, so that any process can sweep. */
export function folderStore(folder: string): PayloadStore {
  const pathOf = (reference: string) => {
    const name = reference.replace(/^file:/, '');
    // References come out of the queue.
    if (!/^[\w.-]+$/.test(name) || name.startsWith('.')) return undefined;
    return join(folder, name);
  };
  return {
    async put(key, text, keepMs) {
      // Ids come out of the queue too, and need not be of our making.
      const name = `${key.replace(/[^\w.-]|^\./g, '_')}.${Math.ceil(Date.now() + keepMs)}.json`;
      await mkdir(folder, { recursive: true });
      const temporary = join(folder, `.${randomUUID()}`);
      await writeFile(temporary, text, { flush: true });
      await rename(temporary, join(folder, name));
      return `file:${name}`;
    },
    async get(reference) {
      const path = pathOf(reference);
      if (path === undefined) return undefined;
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async delete(reference) {
      const path = pathOf(reference);
      if (path !== undefined) await rm(path, { force: true });
    },
    async sweep() {
      const now = Date.now();
      for (const name of await readdir(folder).catch(() => [])) {
        const until = STORED.exec(name)?.[1];
        const path = join(folder, name);
        if (until !== undefined ? Number(until) < now : await isOldTemporary(name, path, now)) {
          await rm(path, { force: true });
        }
      }
    },
  };
}

const TEMPORARY_MS = 3_600_000;

/** What a process left that died while it wrote. */
async function isOldTemporary(name: string, path: string, now: number): Promise<boolean> {
  if (!/^\.[0-9a-f-]{36}$/.test(name)) return false;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.mtimeMs < now - TEMPORARY_MS;
}

export function noStore(refusal: string): PayloadStore {
  const none = () => Promise.reject(new Error(refusal));
  return {
    refusal,
    put: none,
    get: () => Promise.resolve(undefined),
    delete: () => Promise.resolve(),
    sweep: () => Promise.resolve(),
  };
}

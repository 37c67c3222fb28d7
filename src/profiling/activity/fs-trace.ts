/**
 * File operations: `fs` with callbacks, `fs.promises` with its handles, the synchronous calls, and streams over
 * files. What a whole-file call or a stream does underneath belongs to it: a descriptor opened inside one is
 * remembered with its owner.
 */
/* eslint-disable @typescript-eslint/no-this-alias -- a replaced function has its caller's `this`; the trace needs a name beside it. */
import nodeFs from 'node:fs';
import type { ActivityTable, Outcome } from './activity-table.js';
import type { CallSite } from './call-site.js';
import type { AnyFunction, Patches } from './patches.js';
import { blockingTracer, callbackTracer, promiseTracer, type Family } from './traced.js';

/** The module object itself: the namespace of an import cannot be changed. */
const fs = nodeFs as unknown as Record<string, unknown>;

const BY_PATH = [
  ...['readFile', 'writeFile', 'appendFile', 'stat', 'lstat', 'readdir', 'mkdir', 'rm', 'rmdir', 'unlink'],
  ...['rename', 'copyFile', 'access', 'truncate', 'chmod', 'readlink', 'realpath', 'mkdtemp', 'opendir'],
  ...['utimes', 'symlink', 'link', 'cp'],
] as const;
const BY_DESCRIPTOR = [
  'read',
  'readv',
  'write',
  'writev',
  'fsync',
  'fdatasync',
  'ftruncate',
  'fstat',
] as const;
const HANDLE_METHODS = [
  ...['read', 'readv', 'write', 'writev', 'readFile', 'writeFile', 'appendFile', 'stat', 'sync', 'datasync'],
  'truncate',
] as const;
const STREAMS = ['createReadStream', 'createWriteStream'] as const;
const OTHERS = ['open', 'openSync', 'close', 'closeSync'] as const;
/** What a run replaces, for who has to be there earlier. */
export const FORWARDED_OF_FS: readonly string[] = [
  ...[...BY_PATH, ...BY_DESCRIPTOR].flatMap((key) => [key, `${key}Sync`]),
  ...STREAMS,
  ...OTHERS,
];
export const FORWARDED_OF_FS_PROMISES: readonly string[] = [...BY_PATH, 'open'];
/** Bounds the memory for programs that open and never close. */
const MAX_DESCRIPTORS = 65_536;

interface Owner {
  readonly name: string;
  readonly site: CallSite | null;
  /** `part`: of a whole-file call, which is counted itself. */
  readonly role: 'opened' | 'stream' | 'part';
}

/** Descriptors that the program opened in the window and has not closed, by owner. */
export type OpenDescriptors = ReadonlyMap<number, { readonly name: string; readonly site: CallSite | null }>;

export class FsTrace {
  readonly #family: Family;
  readonly #table: ActivityTable;
  readonly #owners = new Map<number, Owner>();
  #scope: Owner | null = null;
  #handlesPatched = false;

  constructor(table: ActivityTable) {
    this.#table = table;
    this.#family = { table, depth: 0 };
  }

  get openDescriptors(): OpenDescriptors {
    return new Map([...this.#owners].filter(([, { role }]) => role !== 'part'));
  }

  /** @param blocking whether the synchronous calls are traced too. */
  install(patches: Patches, blocking: boolean): void {
    for (const key of BY_PATH) {
      const traits = { kind: 'fs', name: `fs.${key}`, target: pathOf, outcome: sizeOf } as const;
      patches.wrap(fs, key, (original) => this.#scoped(key, callbackTracer(this.#family, traits)(original)));
      const promised = { ...traits, name: `fs.promises.${key}` };
      patches.wrap(fs['promises'], key, promiseTracer(this.#family, promised));
      if (blocking) {
        const sync = { ...traits, kind: 'fs-sync', name: `fs.${key}Sync` } as const;
        patches.wrap(fs, `${key}Sync`, (original) =>
          this.#scoped(key, blockingTracer(this.#family, sync)(original)),
        );
      }
    }
    for (const key of BY_DESCRIPTOR) {
      patches.wrap(fs, key, (original) => this.#onDescriptor(`fs.${key}`, original));
      if (blocking) {
        const sync = { kind: 'fs-sync', name: `fs.${key}Sync`, outcome: sizeOf } as const;
        patches.wrap(fs, `${key}Sync`, blockingTracer(this.#family, sync));
      }
    }
    for (const key of STREAMS) patches.wrap(fs, key, (original) => this.#stream(`fs.${key}`, original));
    patches.wrap(fs, 'open', (original) => this.#open(original));
    patches.wrap(fs, 'openSync', (original) => this.#openSync(original, blocking));
    patches.wrap(fs, 'close', (original) => this.#forget(original));
    patches.wrap(fs, 'closeSync', (original) => this.#forget(original));
    patches.wrap(fs['promises'], 'open', (original) => this.#openHandle(patches, original));
  }

  /** What is opened while `call` runs is a part of it. */
  #scoped(name: string, call: AnyFunction): AnyFunction {
    const trace = this;
    return function tracedScope(this: unknown, ...args: unknown[]): unknown {
      const before = trace.#scope;
      trace.#scope ??= { name, site: null, role: 'part' };
      try {
        return Reflect.apply(call, this, args);
      } finally {
        trace.#scope = before;
      }
    };
  }

  #stream(name: string, original: AnyFunction): AnyFunction {
    const trace = this;
    return function tracedStream(this: unknown, ...args: unknown[]): unknown {
      if (!trace.#table.recording) return Reflect.apply(original, this, args);
      const owner: Owner = { name, site: trace.#table.capture(tracedStream), role: 'stream' };
      const stream = Reflect.apply(original, this, args) as NodeJS.EventEmitter;
      stream.once('open', (descriptor: number) => trace.#own(descriptor, owner));
      return stream;
    };
  }

  #open(original: AnyFunction): AnyFunction {
    const trace = this;
    const { kind, name } = { kind: 'fs', name: 'fs.open' } as const;
    return function tracedOpen(this: unknown, ...args: unknown[]): unknown {
      const callback = args.at(-1);
      const scope = trace.#scope;
      if (!trace.#table.recording || typeof callback !== 'function')
        return Reflect.apply(original, this, args);
      const owner: Owner = scope ?? { name, site: trace.#table.capture(tracedOpen), role: 'opened' };
      const operation =
        owner.role === 'part'
          ? null
          : trace.#table.begin(kind, owner.name, pathOf(args), tracedOpen, owner.site);
      args[args.length - 1] = function tracedOpened(this: unknown, ...results: unknown[]): unknown {
        if (operation !== null) trace.#table.end(operation, { failed: results[0] instanceof Error });
        if (results[0] == null) trace.#own(results[1], owner);
        return Reflect.apply(callback as AnyFunction, this, results);
      };
      try {
        return Reflect.apply(original, this, args);
      } catch (error) {
        if (operation !== null) trace.#table.cancel(operation);
        throw error;
      }
    };
  }

  #openSync(original: AnyFunction, blocking: boolean): AnyFunction {
    const trace = this;
    const traced = blocking
      ? blockingTracer(this.#family, { kind: 'fs-sync', name: 'fs.openSync', target: pathOf })(original)
      : original;
    return function tracedOpenSync(this: unknown, ...args: unknown[]): unknown {
      const descriptor = Reflect.apply(traced, this, args);
      if (trace.#table.recording && trace.#family.depth === 0 && trace.#scope === null) {
        const site = trace.#table.capture(tracedOpenSync);
        trace.#own(descriptor, { name: 'fs.openSync', site, role: 'opened' });
      }
      return descriptor;
    };
  }

  #forget(original: AnyFunction): AnyFunction {
    const owners = this.#owners;
    return function tracedClose(this: unknown, ...args: unknown[]): unknown {
      owners.delete(args[0] as number);
      return Reflect.apply(original, this, args);
    };
  }

  #onDescriptor(name: string, original: AnyFunction): AnyFunction {
    const trace = this;
    const table = this.#table;
    return function tracedDescriptor(this: unknown, ...args: unknown[]): unknown {
      const callback = args.at(-1);
      const owner = trace.#owners.get(args[0] as number);
      if (
        !table.recording ||
        typeof callback !== 'function' ||
        trace.#scope !== null ||
        owner?.role === 'part'
      )
        return Reflect.apply(original, this, args);
      const isStream = owner?.role === 'stream';
      const operation = isStream
        ? table.begin('fs', owner.name, '', tracedDescriptor, owner.site)
        : table.begin('fs', name, '', tracedDescriptor);
      args[args.length - 1] = function tracedTransferred(this: unknown, ...results: unknown[]): unknown {
        table.end(operation, { failed: results[0] instanceof Error, ...sizeOf(results[1]) });
        return Reflect.apply(callback as AnyFunction, this, results);
      };
      try {
        return Reflect.apply(original, this, args);
      } catch (error) {
        table.cancel(operation);
        throw error;
      }
    };
  }

  /** The class of file handles is not exported; the first handle leads to it. */
  #openHandle(patches: Patches, original: AnyFunction): AnyFunction {
    const trace = this;
    const traits = { kind: 'fs', name: 'fs.promises.open', target: pathOf } as const;
    const traced = promiseTracer(this.#family, traits)(original);
    return function tracedOpenHandle(this: unknown, ...args: unknown[]): unknown {
      if (!trace.#table.recording) return Reflect.apply(original, this, args);
      const site = trace.#table.capture(tracedOpenHandle);
      const opened = Reflect.apply(traced, this, args) as Promise<{ fd: number; constructor: unknown }>;
      return opened.then((handle) => {
        trace.#own(handle.fd, { name: 'fs.promises.open', site, role: 'opened' });
        trace.#patchHandles(patches, Object.getPrototypeOf(handle));
        return handle;
      });
    };
  }

  #patchHandles(patches: Patches, prototype: unknown): void {
    if (this.#handlesPatched || !this.#table.recording) return;
    this.#handlesPatched = true;
    for (const key of HANDLE_METHODS) {
      const traits = { kind: 'fs', name: `FileHandle.${key}`, outcome: sizeOf } as const;
      patches.wrap(prototype, key, promiseTracer(this.#family, traits));
    }
    const owners = this.#owners;
    patches.wrap(
      prototype,
      'close',
      (original) =>
        function tracedCloseHandle(this: unknown, ...args: unknown[]): unknown {
          owners.delete((this as { fd: number }).fd);
          return Reflect.apply(original, this, args);
        },
    );
  }

  #own(descriptor: unknown, owner: Owner): void {
    if (typeof descriptor === 'number' && this.#owners.size < MAX_DESCRIPTORS)
      this.#owners.set(descriptor, owner);
  }
}

function pathOf(args: readonly unknown[]): string {
  const [path] = args;
  if (typeof path === 'string') return path.length > 200 ? path.slice(0, 200) : path;
  return path instanceof URL ? path.pathname : '';
}

function sizeOf(result: unknown): Outcome {
  if (typeof result === 'number') return { bytes: result };
  if (typeof result === 'string') return { bytes: result.length };
  if (ArrayBuffer.isView(result)) return { bytes: result.byteLength };
  if (typeof result !== 'object' || result === null) return {};
  const { bytesRead, bytesWritten } = result as { bytesRead?: unknown; bytesWritten?: unknown };
  if (typeof bytesRead === 'number') return { bytes: bytesRead };
  return typeof bytesWritten === 'number' ? { bytes: bytesWritten } : {};
}

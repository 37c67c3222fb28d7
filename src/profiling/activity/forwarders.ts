/**
 * Replacements of Node's functions that are in place before the program loads, and only pass the call on.
 *
 * A CommonJS module that takes a function out of its module (`const { readFile } = require('fs')`), and any module
 * that wraps one (`promisify(scrypt)`), keeps what it found at that moment. What it finds is the forwarder; a run
 * then changes where the forwarder leads, and its operations are seen wherever the function has gone.
 *
 * A call through a forwarder costs about 10 ns more, at functions that take microseconds. Only the preloaded agent
 * places them: it alone comes before the program, and its user asked for the program to be profiled. Rejected:
 * placing the traces themselves, which would keep their table and their captures in the path of every call.
 */
import nodeFs from 'node:fs';
import { FORWARDED_OF_FS, FORWARDED_OF_FS_PROMISES } from './fs-trace.js';
import { FORWARDED_OF_POOL } from './pool-trace.js';
import { replaced, type AnyFunction, type Forwarding } from './patches.js';
import { syncBuiltinESMExports } from 'node:module';

/** Places them; to be called once, before the program's own modules load. Costs about 2 ms. */
export function placeForwarders(): void {
  const fs = nodeFs as unknown as Record<string, unknown>;
  for (const key of FORWARDED_OF_FS) forward(fs, key);
  for (const key of FORWARDED_OF_FS_PROMISES) forward(fs['promises'], key);
  const { crypto, zlib, dns } = FORWARDED_OF_POOL;
  for (const key of crypto) forward(process.getBuiltinModule('node:crypto'), key);
  for (const key of zlib) forward(process.getBuiltinModule('node:zlib'), key);
  const names = process.getBuiltinModule('node:dns');
  for (const key of dns) {
    forward(names, key);
    forward(names.promises, key);
  }
  syncBuiltinESMExports();
}

function forward(module: unknown, key: string): void {
  const object = module as Record<string, unknown>;
  const original = object[key];
  const descriptor = Object.getOwnPropertyDescriptor(object, key);
  if (typeof original !== 'function' || descriptor?.configurable !== true || descriptor.get !== undefined)
    return;
  const forwarding: Forwarding = { target: original as AnyFunction };
  function tracedForward(this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(forwarding.target, this, args);
  }
  Object.defineProperty(object, key, {
    ...descriptor,
    value: replaced(original as AnyFunction, tracedForward, forwarding),
  });
}

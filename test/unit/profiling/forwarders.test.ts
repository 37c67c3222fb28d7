import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ListenerTrace } from '../../../dist/profiling/activity/listener-trace.js';
import { Patches } from '../../../dist/profiling/activity/patches.js';

const dist = join(import.meta.dirname, '../../../dist');

describe('forwarders', () => {
  // In a process of its own: they stay for the life of one.
  it('are led to a trace that begins later, and back, wherever the function has gone', () => {
    const program = `
      import { placeForwarders } from '${dist}/profiling/activity/forwarders.js';
      import { Patches } from '${dist}/profiling/activity/patches.js';
      import { createRequire } from 'node:module';
      import { promisify } from 'node:util';
      import assert from 'node:assert';
      const require = createRequire(import.meta.url);
      const before = require('fs').readFileSync;
      placeForwarders();
      const { readFileSync } = require('fs');
      const scrypt = promisify(require('crypto').scrypt);
      assert.equal(readFileSync.name, before.name);
      assert.equal(readFileSync.length, before.length);
      const seen = [];
      const patches = new Patches();
      const wrap = (name) => (original) => function traced(...args) { seen.push(name); return Reflect.apply(original, this, args); };
      patches.wrap(require('fs'), 'readFileSync', wrap('outer'));
      patches.wrap(require('crypto'), 'scrypt', wrap('scrypt'));
      readFileSync(${JSON.stringify(join(dist, 'index.js'))});
      await scrypt('a', 'b', 8);
      patches.restore();
      readFileSync(${JSON.stringify(join(dist, 'index.js'))});
      console.log(seen.join());
    `;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(out.trim()).toBe('outer,scrypt');
  });
});

describe('the count of listeners', () => {
  const observe = (work: (emitter: EventEmitter, signal: AbortSignal) => void) => {
    const patches = new Patches();
    const trace = new ListenerTrace();
    trace.install(patches);
    const emitter = new EventEmitter().setMaxListeners(0);
    const { signal } = new AbortController();
    work(emitter, signal);
    patches.restore();
    return trace.stop();
  };
  it('follows those that are added, with the place', () => {
    const [record] = observe((emitter) => {
      for (let i = 0; i < 100; i += 1) emitter.once('shutdown', () => {});
    });
    expect(record).toMatchObject({ emitter: 'EventEmitter', event: 'shutdown', first: 16, last: 100 });
    expect(record!.site!.frames[0]!.url).toContain('forwarders.test');
  });
  it('falls when they are removed, and leaves alone what has few', () => {
    const records = observe((emitter) => {
      const listeners = Array.from({ length: 40 }, () => () => {});
      for (const listener of listeners) emitter.on('data', listener);
      for (const listener of listeners) emitter.off('data', listener);
      for (let i = 0; i < 10; i += 1) emitter.on('end', () => {});
    });
    expect(records.map(({ event, last, peak }) => [event, last, peak])).toEqual([['data', 0, 40]]);
  });
  it('sees targets of events too', () => {
    const [record] = observe((_emitter, signal) => {
      for (let i = 0; i < 64; i += 1) signal.addEventListener('abort', () => {});
    });
    expect(record).toMatchObject({ emitter: 'AbortSignal', event: 'abort', last: 64 });
  });
});

import * as acorn from 'acorn';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summariseHeapProfile } from '../../../dist/profiling/heap/summary.js';
import { SourceIndex } from '../../../dist/profiling/source/source-index.js';
import type { RawHeapNode } from '../../../dist/profiling/cpu/raw.js';
import { frameOf, type FrameSpec } from './raw-profile.js';

const SOURCE = `function remember(key) {
  store.set(key, { key });
}
function handler(request) {
  remember(request);
}
function subscribe(response) {
  bus.on('change', () => response.end());
}
function open(user) {
  const session = { user };
  sessions[user] = session;
  return session;
}
function greet(request) {
  return open(request.url.split('/')).user;
}
function greetAndCount(request) {
  this.last = request.url;
  return open(request.url.split('/')).user;
}
function memoise(compute) {
  const known = new Map();
  return (key) => {
    known.set(key, { key, value: compute(key) });
  };
}
const route = memoise(String);
function find(request) {
  return route(request.url.split('/'));
}
`;

const node = (spec: FrameSpec, selfSize: number, children: RawHeapNode[] = []): RawHeapNode => ({
  callFrame: frameOf(spec),
  selfSize,
  children,
});
const root = (...children: RawHeapNode[]) => ({ head: node({ name: '(root)' }, 0, children) });

let file: string;
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'heap-summary-'));
  file = join(directory, 'app.js');
  writeFileSync(file, SOURCE);
});
afterAll(() => rmSync(directory, { recursive: true }));

const summarise = (churn: { head: RawHeapNode }, live?: { head: RawHeapNode }, scale = 1) =>
  summariseHeapProfile({ churn, live, scale, sources: new SourceIndex(acorn), maxSites: 50 });

describe('allocation sites', () => {
  it('scales what the churn part saw to the window, and leaves live bytes as they are', () => {
    const frame = { name: 'remember', url: file, line: 1, column: 18 };
    const { sites, allocatedBytes } = summarise(root(node(frame, 1000)), root(node(frame, 300)), 2.5);
    expect(sites[0]).toMatchObject({ allocatedBytes: 2500, liveBytes: 300, share: 1, origin: 'user' });
    expect(allocatedBytes).toBe(2500);
  });

  it('leave out what the tool allocates and calls, and keep what it passes on', () => {
    const dist = new URL('../../../dist/profiling/', import.meta.url);
    const own = { name: 'parse', url: new URL('source/parser.js', dist).href, line: 1 };
    const traced = { name: 'tracedRead', url: new URL('activity/traced.js', dist).href, line: 1 };
    const dependency = { name: 'parse', url: 'file:///app/node_modules/acorn/acorn.js', line: 6 };
    const program = { name: 'remember', url: file, line: 1, column: 18 };
    const { allocatedBytes, sites } = summarise(
      root(
        node(own, 100, [node(dependency, 1000), node(program, 10)]),
        node(program, 1, [node(traced, 0, [node({ name: 'readFile', url: 'node:fs', line: 9 }, 4)])]),
      ),
    );
    expect(allocatedBytes).toBe(15);
    expect(sites.map(({ location }) => location.function)).toEqual(['remember']);
  });

  it('gives no live bytes where there was no live part', () => {
    const { sites } = summarise(root(node({ name: 'remember', url: file, line: 1, column: 18 }, 10)));
    expect(sites[0]).not.toHaveProperty('liveBytes');
  });

  it('finds the function that V8 inlined: the one that makes objects', () => {
    const { sites } = summarise(root(node({ name: 'handler', url: file, line: 4, column: 17 }, 500)));
    expect(sites[0]!.location).toMatchObject({ function: 'remember', line: 1 });
  });

  it('finds the function that V8 inlined: for objects that live on, the one that keeps them', () => {
    const greet = root(node({ name: 'greet', url: file, line: 15, column: 15 }, 500));
    const { sites } = summarise(greet, greet);
    expect(sites.map(({ location, liveBytes }) => [location.function, liveBytes])).toEqual([
      ['greet', 0],
      ['open', 500],
    ]);
  });

  it('finds the closure that V8 inlined by the variable that holds it, under the name of who made it', () => {
    const find = root(node({ name: 'find', url: file, line: 29, column: 14 }, 500));
    expect(summarise(find, find).sites[1]).toMatchObject({
      location: { function: 'memoise', line: 24 },
      liveBytes: 500,
    });
  });

  it('leaves objects that live on with a function that keeps some itself', () => {
    const both = root(node({ name: 'greetAndCount', url: file, line: 18, column: 23 }, 500));
    expect(summarise(both, both).sites).toMatchObject([
      { location: { function: 'greetAndCount' }, liveBytes: 500 },
    ]);
  });

  it('gives Node’s and a dependency’s bytes to the user’s caller', () => {
    const added = node({ name: 'addListener', url: 'node:events', line: 500 }, 400);
    const { sites } = summarise(
      root(node({ name: 'subscribe', url: file, line: 7, column: 19 }, 0, [added])),
    );
    expect(sites[0]).toMatchObject({ through: 'addListener', allocatedBytes: 400 });
    expect(sites[0]!.location.function).toBe('subscribe');
  });

  it('makes a tree of inclusive bytes', () => {
    const inner = node({ name: 'remember', url: file, line: 1, column: 18 }, 70);
    const { callTree } = summarise(
      root(node({ name: 'handler', url: file, line: 4, column: 17 }, 30, [inner])),
    );
    expect(callTree).toMatchObject({
      name: 'all',
      value: 100,
      children: [{ name: 'handler', value: 100, children: [{ name: 'remember', value: 70 }] }],
    });
  });

  it('has no tree where nothing was allocated', () => {
    expect(summarise(root()).callTree).toBeNull();
  });
});

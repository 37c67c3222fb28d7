import { describe, expect, it } from 'vitest';
import { flameGraph, frameOrigin, layOut } from '../../../dist/report/flame-graph.js';
import type { StackNode } from '../../../dist/model/signals.js';
import { callTree } from './sample.js';

describe('the flame graph’s layout', () => {
  const { frames } = layOut(callTree, { unit: 'ms' });

  it('puts every frame inside its caller', () => {
    for (const [index, frame] of frames.entries()) {
      if (frame.depth === 0) continue;
      const caller = frames.slice(0, index).findLast((other) => other.depth === frame.depth - 1);
      expect(caller).toBeDefined();
      expect(frame.left).toBeGreaterThanOrEqual(caller!.left - 1e-9);
      expect(frame.left + frame.width).toBeLessThanOrEqual(caller!.left + caller!.width + 1e-9);
    }
  });

  it('overlaps no two frames of one depth', () => {
    for (let depth = 0; depth < 9; depth += 1) {
      const level = frames.filter((frame) => frame.depth === depth).sort((a, b) => a.left - b.left);
      for (let i = 1; i < level.length; i += 1) {
        expect(level[i]!.left).toBeGreaterThanOrEqual(level[i - 1]!.left + level[i - 1]!.width - 1e-9);
      }
    }
  });

  it('gives self time as what the children leave', () => {
    expect(frames.find((frame) => frame.name === 'matches')?.self).toBeCloseTo(390);
  });

  it('accounts for all time: self times add up to the whole', () => {
    const sum = frames.reduce((total, frame) => total + frame.self, 0);
    expect(sum).toBeCloseTo(9200);
  });

  it('cuts children that claim more than their caller has', () => {
    const tree: StackNode = {
      name: 'root',
      value: 10,
      children: [
        { name: 'a', value: 8, children: [] },
        { name: 'b', value: 8, children: [] },
      ],
    };
    const laidOut = layOut(tree, { unit: 'ms' }).frames;
    expect(laidOut.map((frame) => frame.left + frame.width).every((edge) => edge <= 1)).toBe(true);
    expect(laidOut.every((frame) => frame.self >= 0)).toBe(true);
  });

  it('counts what is too narrow to draw instead of dropping it silently', () => {
    const tree: StackNode = {
      name: 'root',
      value: 1000,
      children: [
        { name: 'wide', value: 999, children: [] },
        { name: 'narrow', value: 0.1, children: [{ name: 'below', value: 0.1, children: [] }] },
      ],
    };
    expect(layOut(tree, { unit: 'ms' }).hidden).toBe(2);
    expect(flameGraph(tree, { unit: 'ms' }).text).toContain('2 frames narrower than');
  });

  it('survives a recursion of a hundred thousand frames', () => {
    let node: StackNode = { name: 'deepest', value: 1, children: [] };
    for (let i = 0; i < 100_000; i += 1) node = { name: 'recurse', value: 1, children: [node] };
    const { depth, hidden } = layOut(node, { unit: 'ms' });
    expect(depth).toBeLessThanOrEqual(160);
    expect(depth + 1 + hidden).toBe(100_001);
  });

  it('shows an empty tree as such', () => {
    expect(flameGraph({ name: '(root)', value: 0, children: [] }, { unit: 'ms' }).text).toContain(
      'No samples',
    );
  });

  it('offers every frame to assistive technology and the keyboard', () => {
    const text = flameGraph(callTree, { unit: 'ms' }).text;
    expect(text).toContain('role="tree"');
    expect(text.match(/role="treeitem"/g)).toHaveLength(frames.length);
    expect(text.match(/tabindex="0"/g)).toHaveLength(1);
  });
});

it('tells apart whose code a frame is', () => {
  expect(frameOrigin({ name: 'f', file: '/srv/app.js' })).toBe('user');
  expect(frameOrigin({ name: 'f', file: '/srv/node_modules/x/i.js' })).toBe('dependency');
  expect(frameOrigin({ name: 'f', file: 'node:events' })).toBe('node');
  expect(frameOrigin({ name: '(program)' })).toBe('native');
  expect(frameOrigin({ name: '(garbage collector)' })).toBe('gc');
});

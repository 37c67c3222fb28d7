import { describe, expect, it } from 'vitest';
import { TaskQueue } from '../../../dist/threads/task-queue.js';
import { randomFrom } from '../../fixtures/threads/simulate.js';

const item = (priority: number, name = '') => ({ priority, name, settled: false, order: 0 });

describe('TaskQueue', () => {
  it('gives the highest priority first, and the earliest within one', () => {
    const queue = new TaskQueue<ReturnType<typeof item>>();
    for (const [priority, name] of [
      [0, 'a'],
      [5, 'b'],
      [0, 'c'],
      [-1, 'd'],
      [5, 'e'],
    ] as const) {
      queue.push(item(priority, name));
    }
    const order = Array.from({ length: 5 }, () => queue.shift()!.name);
    expect(order.join('')).toBe('beacd');
    expect(queue.shift()).toBeUndefined();
    expect(queue.length).toBe(0);
  });

  it('passes over what was settled, and does not count it', () => {
    const queue = new TaskQueue<ReturnType<typeof item>>();
    const items = [item(0, 'a'), item(1, 'b'), item(0, 'c')];
    for (const each of items) queue.push(each);
    items[1]!.settled = true;
    queue.discard();
    expect(queue.length).toBe(2);
    expect([queue.shift()!.name, queue.shift()!.name, queue.shift()]).toEqual(['a', 'c', undefined]);
    expect(queue.length).toBe(0);
  });

  it('agrees with a sorted list over random use', () => {
    const random = randomFrom(9);
    const queue = new TaskQueue<{ priority: number; order: number; settled: boolean }>();
    let model: { priority: number; order: number; settled: boolean }[] = [];
    for (let step = 0; step < 5_000; step += 1) {
      if (random() < 0.55) {
        const each = { priority: Math.floor(random() * 5), order: step, settled: false };
        queue.push(each);
        model.push(each);
        model.sort((a, b) => b.priority - a.priority || a.order - b.order);
      } else if (random() < 0.3 && model.length > 0) {
        const victim = model[Math.floor(random() * model.length)]!;
        victim.settled = true;
        queue.discard();
        model = model.filter((each) => each !== victim);
      } else {
        expect(queue.shift()).toBe(model.shift());
      }
      expect(queue.length).toBe(model.length);
    }
  });
});

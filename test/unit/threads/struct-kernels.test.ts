/** Struct arrays go to kernels as they are: each thread gets a view of the same records. */
import { describe, expect, it } from 'vitest';
import { f64, struct, u32, type StructArray } from '../../../dist/index.js';
import { Job } from '../../../dist/threads/job.js';
import { packShared, sameBytes, unpackShared } from '../../../dist/threads/shared-copy.js';
import { loadMakers } from '../../../dist/threads/attached-objects.js';
import { fixture, poolWith, rejection } from '../../fixtures/threads/setup.js';

const LENGTH = 1_000;
const Particle = struct('Particle', { x: f64, moves: u32, speed: f64 });
const move = fixture('move');
const distance = fixture<(start: number, end: number, shared: unknown) => number>('distance');

function particlesIn(order: 'aos' | 'soa' | 'aosoa') {
  const particles = Particle.array(LENGTH, { order, shared: true });
  const particle = particles.cursor();
  for (let i = 0; i < LENGTH; i += 1) {
    particle.index = i;
    particle.speed = i;
  }
  return particles;
}

function expectMoved(particles: StructArray<any>, times: number) {
  const particle = particles.cursor();
  for (let i = 0; i < LENGTH; i += 1) {
    particle.index = i;
    if (particle.moves !== times || particle.x !== i * 2 * times) expect(particle.toObject()).toBe(i);
  }
}

describe.each(['aos', 'soa', 'aosoa'] as const)('a struct array in %s order', (order) => {
  it('is moved through by cursors in threads and on the caller', async () => {
    const pool = poolWith();
    const particles = particlesIn(order);
    const loop = { task: move, range: [0, LENGTH] as const, shared: { world: { particles }, dt: 2 } };
    await pool.parallelFor({ ...loop, schedule: 'static', threads: 2, grain: 10 });
    expectMoved(particles, 1);
    await pool.parallelFor({ ...loop, schedule: 'stealing' });
    expectMoved(particles, 2);
    for (let i = 0; i < 100; i += 1) await pool.parallelFor(loop);
    expectMoved(particles, 102);
  });

  it('is reduced and copied', async () => {
    const pool = poolWith();
    const particles = particlesIn(order);
    const shared = { world: { particles }, dt: 2 };
    await pool.parallelFor({ task: move, range: [0, LENGTH], shared, schedule: 'guided' });
    const sum = await pool.parallelReduce({
      task: distance,
      range: [0, LENGTH],
      shared,
      schedule: 'stealing',
      combine: (a: number, b: number) => a + b,
    });
    expect(sum).toBe((LENGTH - 1) * LENGTH);

    const packed = structuredClone(packShared(shared));
    await loadMakers(packed.attached);
    const copy = unpackShared(packed) as typeof shared;
    const before = packShared(shared);
    await new Job({ name: 'on the copy', task: move, range: [0, LENGTH], shared: copy }).run();
    expectMoved(copy.world.particles, 2);
    expectMoved(particles, 1);
    expect(sameBytes(before, packShared(shared))).toBe(true);
  });
});

it('a struct array in private memory is refused, with what to do', async () => {
  const particles = Particle.array(LENGTH);
  const error = await rejection(
    poolWith().parallelFor({ task: move, range: [0, LENGTH], shared: { world: { particles }, dt: 2 } }),
  );
  expect(error.code).toBe('NOT_SUPPORTED');
  expect(error.message).toContain('shared: true');
});

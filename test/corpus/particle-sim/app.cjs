'use strict';
const { EventEmitter } = require('node:events');

class World extends EventEmitter {
  constructor(count) {
    super();
    this.particles = Array.from({ length: count }, (_, i) => ({
      p: { x: i, y: 0, z: 0 },
      v: { x: 1, y: 2, z: 3 },
    }));
  }
  step(dt) {
    this.particles = this.particles.map(({ p, v }) => ({
      p: { x: p.x + v.x * dt, y: p.y + v.y * dt, z: p.z + v.z * dt },
      v: { x: v.x * 0.999, y: v.y * 0.999, z: v.z * 0.999 },
    }));
    this.emit('stepped', this.particles.length);
  }
}
const world = new World(60_000);
let frames = 0;
world.on('stepped', () => (frames += 1));
setInterval(() => world.step(0.016), 33);

'use strict';
class Entity {
  constructor(id) {
    this.id = id;
    this.age = 0;
    this.schedule();
  }
  schedule() {
    // Every entity with a clock of its own, and a new one for every step.
    setTimeout(
      () => {
        this.age += 1;
        this.schedule();
      },
      1 + (this.id % 3),
    );
  }
}
globalThis.world = Array.from({ length: 4000 }, (_, id) => new Entity(id));

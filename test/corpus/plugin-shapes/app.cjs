'use strict';
// Every plugin brings a class of its own; the core reads the same properties of all of them.
const classes = Array.from({ length: 48 }, (_, i) =>
  new Function(
    `return class Plugin${i} { constructor(p) { this.own${i} = p; this.price = p; this.count = 1; } }`,
  )(),
);
const items = Array.from({ length: 4096 }, (_, i) => new classes[i % classes.length](i));

class Core {
  sumPrices(list) {
    let sum = 0;
    for (let i = 0; i < list.length; i++) {
      sum += list[i].price * list[i].count;
    }
    return sum;
  }
}

const core = new Core();
(function work() {
  let total = 0;
  for (let round = 0; round < 60; round++) total += core.sumPrices(items);
  globalThis.total = total;
  setImmediate(work);
})();

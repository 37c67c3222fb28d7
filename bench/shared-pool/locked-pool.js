// The rival: the same slots and handles behind one lock, as one writes it by hand. The lock is the usual three-state one
// (free, taken, taken with sleepers), which spins for a moment before it sleeps.
const LOCK = 0;
const FREE = 1;
const STACK = 2;

export class LockedPool {
  static create({ slots, spins }) {
    const words = new Int32Array(new SharedArrayBuffer((STACK + slots) * 4));
    for (let k = 0; k < slots; k += 1) words[STACK + k] = slots - 1 - k;
    words[FREE] = slots;
    return new LockedPool(words, spins);
  }

  static attach({ buffer, spins }) {
    return new LockedPool(new Int32Array(buffer), spins);
  }

  constructor(words, spins) {
    this.words = words;
    this.spins = spins;
  }

  get descriptor() {
    return { buffer: this.words.buffer, spins: this.spins };
  }

  acquire() {
    const { words } = this;
    this.lock();
    const top = words[FREE] - 1;
    if (top < 0) {
      this.unlock();
      throw new Error('exhausted');
    }
    words[FREE] = top;
    const slot = words[STACK + top];
    this.unlock();
    return slot;
  }

  release(slot) {
    const { words } = this;
    this.lock();
    const top = words[FREE];
    words[STACK + top] = slot;
    words[FREE] = top + 1;
    this.unlock();
  }

  lock() {
    const { words } = this;
    if (Atomics.compareExchange(words, LOCK, 0, 1) === 0) return;
    for (let k = 0; k < this.spins; k += 1) {
      if (words[LOCK] === 0 && Atomics.compareExchange(words, LOCK, 0, 1) === 0) return;
    }
    while (Atomics.exchange(words, LOCK, 2) !== 0) Atomics.wait(words, LOCK, 2);
  }

  unlock() {
    if (Atomics.exchange(this.words, LOCK, 0) === 2) Atomics.notify(this.words, LOCK, 1);
  }
}

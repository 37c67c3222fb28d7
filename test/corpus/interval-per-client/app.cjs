'use strict';
// Each session looks every few milliseconds whether it has ended.
const sessions = [];
class Session {
  constructor(id) {
    this.id = id;
    this.until = Date.now() + 3_600_000;
    this.arm();
  }
  arm() {
    this.timer = setTimeout(() => this.check(), 4 + (this.id % 13));
  }
  check() {
    if (Date.now() < this.until) this.arm();
  }
}
for (let id = 0; id < 2500; id += 1) sessions.push(new Session(id));

'use strict';
class Job {
  runs = 0;
  constructor(everyMs) {
    setInterval(() => this.run(), everyMs);
  }
  run() {
    this.runs += 1;
    let sum = 0;
    for (let i = 0; i < 2000; i++) sum += i % (this.runs + 1);
    return sum;
  }
}
globalThis.jobs = Array.from({ length: 40 }, (_, i) => new Job(200 + i * 25));

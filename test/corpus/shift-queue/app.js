import { EventEmitter } from 'node:events';

class Mailbox extends EventEmitter {
  #waiting = [];
  post(message) {
    this.#waiting.push(message);
  }
  drain(most) {
    const batch = [];
    while (batch.length < most && this.#waiting.length > 0) batch.push(this.#waiting.shift());
    return batch;
  }
  get size() {
    return this.#waiting.length;
  }
}
const mailbox = new Mailbox();
for (let i = 0; i < 400_000; i += 1) mailbox.post({ i });
setInterval(() => {
  const batch = mailbox.drain(120);
  for (const message of batch) mailbox.post(message);
}, 60);

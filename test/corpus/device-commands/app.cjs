'use strict';
// Sends commands to devices in the field over one TCP link and waits for their acknowledgements.
const { EventEmitter, once } = require('node:events');
const net = require('node:net');
const { Worker } = require('node:worker_threads');

class DeviceLink extends EventEmitter {
  #socket;
  #pending = new Map();
  #sequence = 0;

  constructor(port) {
    super();
    this.#socket = net.connect(port, '127.0.0.1');
    let rest = '';
    this.#socket.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) this.#acknowledge(JSON.parse(line));
    });
  }

  send(device, command) {
    const id = ++this.#sequence;
    const frame = { id, device, command, sentAt: Date.now(), trace: [] };
    for (let hop = 0; hop < 45; hop++)
      frame.trace.push({ hop, node: `${device}/${id}/${hop}`, latency: hop * 1.25 });
    this.#socket.write(`${JSON.stringify(frame)}\n`);
    return new Promise((resolve, reject) => {
      const call = { frame, resolve, reject };
      call.timer = setTimeout(() => reject(new Error(`device ${device} is silent`)), 400);
      this.#pending.set(id, call);
    });
  }

  #acknowledge({ id, status }) {
    const call = this.#pending.get(id);
    if (call === undefined) return;
    clearTimeout(call.timer);
    this.#pending.delete(id);
    call.resolve(status);
  }
}

async function main() {
  const field = new Worker(require.resolve('./field.cjs'));
  const [port] = await once(field, 'message');
  const link = new DeviceLink(port);
  const stats = { acknowledged: 0, silent: 0 };
  let tick = 0;
  setInterval(() => {
    for (let i = 0; i < 9; i++) {
      const device = `meter-${tick++ % 5000}`;
      link.send(device, { kind: 'read', register: tick % 16 }).then(
        () => stats.acknowledged++,
        () => stats.silent++,
      );
    }
  }, 40);
  setInterval(() => console.log(stats), 5000);
}

main();

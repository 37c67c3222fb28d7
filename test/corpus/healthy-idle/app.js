setInterval(() => {
  globalThis.beat = Date.now();
}, 250);

// Frames of many sizes come and go; one in forty is kept, and keeps malloc's blocks around it apart.
const kept = [];
let frames = [];
for (let i = 0; i < 120_000; i += 1) {
  const frame = new Uint8Array(2000 + ((i * 7919) % 3000));
  frame.fill(1);
  if (i % 40 === 0) kept.push(frame);
  else frames.push(frame);
}
frames = [];
globalThis.kept = kept;
setInterval(() => {
  globalThis.sum = kept.reduce((sum, frame) => sum + frame[0], 0);
}, 50);

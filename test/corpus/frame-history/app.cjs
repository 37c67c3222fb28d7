'use strict';
class Recorder {
  constructor() {
    this.frames = new Map();
  }
  capture(number) {
    const frame = new Uint8Array(160 * 120 * 3);
    frame.fill(number & 255);
    this.frames.set(number, frame);
    return frame.byteLength;
  }
}

const recorder = new Recorder();
let number = 0;
setInterval(() => recorder.capture(number++), 8);

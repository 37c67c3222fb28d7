/** The part of RFC 6455 that the board needs: whole text frames, masked by clients. */
export function textFrame(text) {
  const payload = Buffer.from(text);
  let head;
  if (payload.length < 126) head = Buffer.from([0x81, payload.length]);
  else if (payload.length < 65536) {
    head = Buffer.from([0x81, 126, 0, 0]);
    head.writeUInt16BE(payload.length, 2);
  } else {
    head = Buffer.alloc(10);
    head[0] = 0x81;
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}

export function readFrames(socket, onText) {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 6) return;
      let length = rest[1] & 0x7f;
      let offset = 2;
      if (length === 126) {
        length = rest.readUInt16BE(2);
        offset = 4;
      }
      const end = offset + 4 + length;
      if (rest.length < end) return;
      const mask = rest.subarray(offset, offset + 4);
      const payload = Buffer.from(rest.subarray(offset + 4, end));
      for (let i = 0; i < payload.length; i += 1) payload[i] ^= mask[i & 3];
      rest = rest.subarray(end);
      if ((mask.length && payload.length) > 0) onText(payload.toString('utf8'));
    }
  });
}

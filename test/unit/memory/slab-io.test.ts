import { mkdtempSync, openSync, closeSync, read, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createGunzip, createGzip } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { SlabPool } from '../../../dist/memory/slab-pool.js';

const folder = mkdtempSync(join(tmpdir(), 'slab-io-'));
const path = join(folder, 'data');
const data = Buffer.from(Array.from({ length: 100_000 }, (_, k) => (k * 31 + (k >> 8)) & 255));
writeFileSync(path, data);
afterAll(() => rmSync(folder, { recursive: true }));

describe('Buffers of a SlabPool', () => {
  it('take what fs.read reads, several at a time', async () => {
    using pool = new SlabPool({ slotBytes: 4096, slots: 4 });
    const descriptor = openSync(path, 'r');
    const pieces = await Promise.all(
      Array.from({ length: 25 }, async (_, k) => {
        // More reads than slots: those that find none wait.
        const handle = await pool.acquireAsync();
        const { bytesRead } = await promisify(read)(descriptor, pool.buffer(handle), 0, 4096, k * 4096);
        const copy = Buffer.from(pool.view(handle).subarray(0, bytesRead));
        pool.release(handle);
        return copy;
      }),
    );
    closeSync(descriptor);
    expect(Buffer.concat(pieces).equals(data)).toBe(true);
    expect(pool.stats()).toMatchObject({ inUse: 0, highWater: 4 });
  });

  it('are filled by a socket through onread, with no buffer of its own', async () => {
    using pool = new SlabPool({ slotBytes: 1000, slots: 1 });
    const server = createServer((socket) => socket.end(data));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const handle = pool.acquire();
    const buffer = pool.buffer(handle);
    const pieces: Buffer[] = [];
    await new Promise<void>((resolve, reject) => {
      const socket = connect({
        port: (server.address() as AddressInfo).port,
        host: '127.0.0.1',
        onread: {
          buffer,
          callback(bytes, filled) {
            expect(filled).toBe(buffer);
            pieces.push(Buffer.from(filled.subarray(0, bytes)));
            return true;
          },
        },
      });
      socket.once('end', () => resolve());
      socket.once('error', reject);
    });
    pool.release(handle);
    server.close();
    expect(Buffer.concat(pieces).equals(data)).toBe(true);
  });

  it('are written to sockets and released when they are through', async () => {
    using pool = new SlabPool({ slotBytes: 4096, slots: 2 });
    const received: Buffer[] = [];
    const server = createServer((socket) => socket.on('data', (piece: Buffer) => received.push(piece)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    for (let at = 0; at < data.length; at += 4096) {
      const handle = await pool.acquireAsync();
      const buffer = pool.buffer(handle);
      const length = data.copy(buffer, 0, at);
      socket.write(buffer.subarray(0, length), () => pool.release(handle));
    }
    const ended = new Promise((resolve) => server.once('close', resolve));
    socket.end();
    server.close();
    await ended;
    expect(Buffer.concat(received).equals(data)).toBe(true);
    expect(pool.stats()).toMatchObject({ inUse: 0, highWater: 2 });
  });

  it('go through streams, compression included, and are released by the callback of their write', async () => {
    using pool = new SlabPool({ slotBytes: 4096, slots: 3 });
    const zip = createGzip();
    const received = (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of zip.pipe(createGunzip())) pieces.push(piece as Buffer);
      return Buffer.concat(pieces);
    })();
    for (let at = 0; at < data.length; at += 4096) {
      const handle = await pool.acquireAsync();
      const buffer = pool.buffer(handle);
      const length = data.copy(buffer, 0, at);
      zip.write(buffer.subarray(0, length), () => pool.release(handle));
    }
    zip.end();
    expect((await received).equals(data)).toBe(true);
    expect(pool.stats()).toMatchObject({ inUse: 0, highWater: 3 });
  });
});

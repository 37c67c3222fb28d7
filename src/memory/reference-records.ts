/**
 * Records to measure settings on where nothing is registered: real structs of widely used C programs, with their
 * fields in declared order. Pointers and 64-bit counts are f64, as a JavaScript program would keep them.
 */
import { array, f64, i16, i32, u16, u8 } from './struct/field-types.js';
import { struct, type StructType } from './struct/struct-type.js';

export function referenceRecords(): StructType[] {
  const declared = { packing: 'declared' } as const;
  return [
    // SQLite: unixInodeInfo
    struct(
      'unixInodeInfo',
      {
        fileId: array(f64, 2),
        pLockMutex: f64,
        nShared: i32,
        nLock: i32,
        eFileLock: u8,
        bProcessLock: u8,
        pUnused: f64,
        nRef: i32,
        pShmNode: f64,
        pNext: f64,
        pPrev: f64,
      },
      declared,
    ),
    // Redis: connection
    struct(
      'connection',
      {
        type: f64,
        state: i32,
        flags: i16,
        refs: i16,
        last_errno: i32,
        private_data: f64,
        conn_handler: f64,
        write_handler: f64,
        read_handler: f64,
        fd: i32,
      },
      declared,
    ),
    // nginx: ngx_stream_upstream_resolved_t
    struct(
      'ngx_stream_upstream_resolved_t',
      {
        host: array(f64, 2),
        port: u16,
        no_port: f64,
        naddrs: f64,
        addrs: f64,
        sockaddr: f64,
        socklen: i32,
        name: array(f64, 2),
        ctx: f64,
      },
      declared,
    ),
    // SQLite: flock64
    struct('flock64', { l_type: i16, l_whence: i16, l_start: f64, l_len: f64, l_pid: i32 }, declared),
  ];
}

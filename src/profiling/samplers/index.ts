import type { NativeContract } from '../../native/contract.js';
import type { InspectorSession } from '../inspector-session.js';
import type { Sampler } from '../sampler.js';
import { CpuProfileSampler } from './cpu-profile.js';
import { EventLoopSampler } from './event-loop.js';
import { GcSampler } from './gc.js';
import { HeapProfileSampler } from './heap-profile.js';
import { HeapSampler } from './heap.js';
import { HostSampler } from './host.js';
import { MemoryMapSampler } from './memory-map.js';
import { PeerSampler } from './peers.js';
import { ProcessSampler } from './process.js';
import { ThreadSampler } from './threads.js';

/**
 * The built-in samplers in the order of their start. The heap profile comes first because a memory run begins
 * with a full collection, which belongs to no figure; the CPU profile last, so that it sees none of the starting.
 */
export function builtInSamplers(native: NativeContract, session: InspectorSession): Sampler[] {
  return [
    new HeapProfileSampler(session),
    new MemoryMapSampler(native),
    new HostSampler(native),
    new PeerSampler(),
    new HeapSampler(),
    new GcSampler(),
    new ThreadSampler(native),
    new ProcessSampler(),
    new EventLoopSampler(),
    new CpuProfileSampler(session),
  ];
}

import type { NativeContract } from '../../native/contract.js';
import type { InspectorSession } from '../inspector-session.js';
import type { Sampler } from '../sampler.js';
import { ActivitySampler } from './activity.js';
import { CounterSampler } from './counters.js';
import { CpuProfileSampler } from './cpu-profile.js';
import { DeoptimisationSampler } from './deoptimisations.js';
import { DescriptorSampler } from './descriptors.js';
import { EventLoopSampler } from './event-loop.js';
import { GcSampler } from './gc.js';
import { HeapProfileSampler } from './heap-profile.js';
import { HeapSampler } from './heap.js';
import { HostSampler } from './host.js';
import { KernelIoSampler } from './kernel-io.js';
import { ListenerSampler } from './listeners.js';
import { MemoryMapSampler } from './memory-map.js';
import { NativeCodeSampler } from './native-code.js';
import { PeerSampler } from './peers.js';
import { PoolQueueSampler } from './pool-queue.js';
import { ProcessSampler } from './process.js';
import type { RetainerSampler } from './retainers.js';
import { ThreadSampler } from './threads.js';
import { TickReading } from './tick-reading.js';
import { WorkerSampler } from './workers.js';

/**
 * The built-in samplers in the order of their start. The heap profile comes first because a memory run begins
 * with a full collection, which belongs to no figure, after the first snapshot of one that looks for retainers; the
 * activity's replacements come after all that reads files itself; the CPU profile and the samples of native code last,
 * so that they see none of the starting.
 */
export function builtInSamplers(
  native: NativeContract,
  session: InspectorSession,
  retainers?: RetainerSampler,
): Sampler[] {
  const reading = new TickReading(native);
  const pool = new Set<number>();
  const cpu = new CpuProfileSampler(session);
  const workers = new WorkerSampler(session);
  const nativeCode = new NativeCodeSampler(native);
  return [
    closing(reading),
    nativeCode.naming(),
    ...(retainers === undefined ? [] : [retainers]),
    new HeapProfileSampler(session, cpu),
    new MemoryMapSampler(native),
    new HostSampler(native, reading),
    new PeerSampler(),
    new DescriptorSampler(native),
    new KernelIoSampler(),
    new HeapSampler(reading),
    new GcSampler(),
    new PoolQueueSampler(pool),
    workers,
    new ListenerSampler(),
    new ActivitySampler(),
    new ThreadSampler(native, reading, {
      pool,
      workers: workers.threads,
      unnamedWorkers: () => workers.unnamed,
    }),
    new CounterSampler(native, workers.threads),
    new ProcessSampler(reading),
    new EventLoopSampler(),
    new DeoptimisationSampler(session, cpu),
    cpu,
    nativeCode,
  ];
}

/** Stops last, since it starts first: no sampler reads after it. */
function closing(reading: TickReading): Sampler {
  return { name: 'kernel figures', start() {}, stop: () => reading.close() };
}

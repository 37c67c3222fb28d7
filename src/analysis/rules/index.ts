import type { Rule } from '../rule.js';
import { allocationChurn } from './allocation-churn.js';
import { cpuSteal } from './cpu-steal.js';
import { cpuThrottling } from './cpu-throttling.js';
import { diskIowait } from './disk-iowait.js';
import { exceptionStorm } from './exception-storm.js';
import { externalLeak } from './external-leak.js';
import { freshPageFaults } from './fresh-page-faults.js';
import { heapLeak, listenerLeak } from './heap-leak.js';
import { heapNearLimit } from './heap-near-limit.js';
import { jsonProcessing } from './json-processing.js';
import { megamorphicAccess } from './megamorphic-access.js';
import { memoryPressure } from './memory-pressure.js';
import { microtaskFlood } from './microtask-flood.js';
import { noisyNeighbour } from './noisy-neighbour.js';
import { regexpBacktracking } from './regexp-backtracking.js';
import { syncChildProcess } from './sync-child-process.js';
import { syncCpu } from './sync-cpu.js';
import { syncCrypto } from './sync-crypto.js';
import { syncFs } from './sync-fs.js';
import { syncZlib } from './sync-zlib.js';
import { deoptimisationLoop } from './deoptimisation-loop.js';
import { heapFragmentation } from './heap-fragmentation.js';
import { timerFlood } from './timer-flood.js';
import { backpressureIgnored } from './backpressure-ignored.js';
import { descriptorExhaustion } from './descriptor-exhaustion.js';
import { lockContention } from './lock-contention.js';
import { noKeepAlive } from './no-keep-alive.js';
import { serialAwaits } from './serial-awaits.js';
import { slowDns } from './slow-dns.js';
import { slowDownstream } from './slow-downstream.js';
import { threadpoolSaturation } from './threadpool-saturation.js';
import { workerOversubscription } from './worker-oversubscription.js';

/** Every built-in rule. Their order does not matter: findings are ordered by what they cost. */
export const defaultRules: readonly Rule[] = [
  syncCpu,
  jsonProcessing,
  regexpBacktracking,
  syncFs,
  syncChildProcess,
  syncCrypto,
  syncZlib,
  exceptionStorm,
  megamorphicAccess,
  deoptimisationLoop,
  timerFlood,
  microtaskFlood,
  allocationChurn,
  heapNearLimit,
  heapLeak,
  listenerLeak,
  externalLeak,
  heapFragmentation,
  freshPageFaults,
  cpuThrottling,
  memoryPressure,
  noisyNeighbour,
  cpuSteal,
  diskIowait,
  backpressureIgnored,
  descriptorExhaustion,
  lockContention,
  noKeepAlive,
  serialAwaits,
  slowDns,
  slowDownstream,
  threadpoolSaturation,
  workerOversubscription,
];

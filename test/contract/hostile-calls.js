// Calls every export with every kind of wrong argument, alone and in each place among right ones. Prints what came
// of it; a crash shows as the exit of this process.
import { loadNative } from '../../dist/native/load.js';

const native = loadNative();

function detached(Type) {
  const array = new Type(8);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}
function shrunk() {
  const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
  const fixed = new Float64Array(buffer, 0, 8);
  buffer.resize(8);
  return fixed;
}
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const trap = () => {
  throw new Error('user code must not run');
};

const HOSTILE = [
  undefined,
  null,
  true,
  false,
  NaN,
  Infinity,
  -Infinity,
  -0,
  -1,
  0.5,
  1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 64,
  -(2 ** 53),
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  '',
  '1',
  'x'.repeat(1 << 20),
  'a\0b',
  '\ud800',
  Symbol('s'),
  10n,
  -1n,
  {},
  [],
  [1, 1],
  () => 1,
  new Date(0),
  Object.create(null),
  Object.create(Float64Array.prototype),
  Object.create(Int32Array.prototype),
  { valueOf: trap, toString: trap, [Symbol.toPrimitive]: trap },
  new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap }),
  new Proxy(new Float64Array(64), {}),
  revoked.proxy,
  new ArrayBuffer(64),
  new SharedArrayBuffer(64),
  new ArrayBuffer(0),
  new DataView(new ArrayBuffer(8)),
  new DataView(new SharedArrayBuffer(8)),
  detached(Float64Array),
  detached(Int32Array),
  detached(Uint8Array),
  shrunk(),
  new Float64Array(0),
  new Float64Array(1),
  new Float64Array(64).fill(NaN),
  new Float64Array(64).fill(-1),
  new Float64Array(64).fill(2 ** 60),
  new Float64Array(1000),
  new Float64Array(new SharedArrayBuffer(512)),
  new Float32Array(64),
  new BigInt64Array(64),
  new Uint8Array(64),
  new Uint8ClampedArray(64),
  new Int32Array(0),
  new Int32Array(64).fill(-1),
  new Int32Array(64).fill(2 ** 31 - 1),
  new Int32Array(new SharedArrayBuffer(64)).fill(5000),
  Buffer.alloc(3),
  globalThis,
  new (class extends Float64Array {
    get length() {
      return 2 ** 40;
    }
  })(64),
];

const VALID = {
  regionCreate: () => [4096, 64, 0, false],
  regionClose: () => [12345],
  regionTrim: () => [region.id, 0, 4096],
  regionResidency: () => [region.id, new Float64Array(2)],
  regionCount: () => [],
  addressOf: () => [new Uint8Array(8)],
  adviseHugePages: () => [new Uint8Array(8)],
  bindToNode: () => [new Uint8Array(8), 0],
  discardShared: () => [new Uint8Array(new SharedArrayBuffer(8))],
  viewResidency: () => [new Uint8Array(8), new Float64Array(64)],
  currentThreadId: () => [],
  keepOffCpu: () => [0],
  letBack: () => [],
  threadCpuTimeNs: () => [],
  getAffinity: () => [0, new Int32Array(8)],
  setAffinity: () => [0, allowedCpus],
  processAffinity: () => [new Int32Array(8)],
  useProcessAffinity: () => [],
  setNice: () => [0, 0],
  countComputeThread: () => [],
  computeThreads: () => [],
  setThreadName: () => ['hostile'],
  blockProfilerSignal: () => [],
  readThreads: () => [new Float64Array(64)],
  threadName: () => [0],
  readProcess: () => [new Float64Array(64)],
  readHostCpu: () => [new Float64Array(64)],
  readMemoryMap: () => [new Float64Array(64)],
  readCgroup: () => [new Float64Array(64)],
  readPressure: () => [new Float64Array(64)],
  readTick: () => [new Float64Array(64)],
  closeTick: () => [],
  stackSamplesStart: () => [2500],
  stackSamplesStop: () => [],
  stackSamplesTake: () => [],
  countersOpen: () => [Float64Array.of(1, 1, 0, 1), false, 0],
  countersRead: () => [counters.id, new Float64Array(64), true],
  countersBind: () => [counters.id, new Float64Array(new SharedArrayBuffer(512))],
  countersReadBound: () => [counters.id],
  countersClose: () => [12345],
  probeLatency: () => [new Float64Array(512), 4096, 64, 1000],
  probeBandwidth: () => [new Float64Array(512), 4096, 1000],
  probeClocks: () => [new Float64Array(3)],
  emptyCall: () => [],
  capabilities: () => [],
  columnReduce: () => [0, new Float64Array(8), shape],
  columnReduceWide: () => [0, new BigInt64Array(8), shape, new BigInt64Array(2)],
  columnDot: () => [new Float64Array(8), shape, new Float32Array(8), shape],
  columnFilter: () => [new Int32Array(8), shape, 0, 1, new BigUint64Array(2), false, new Uint32Array(8)],
  columnGather: () => [new Float64Array(8), shape, new Uint32Array(8), new Float64Array(8), 8],
  moveRecords: () => [new Uint8Array(64), new Uint8Array(64), 8, Float64Array.of(0, 8, 0, 0, 8, 0, 8)],
  kernelIsa: () => [],
  arrayReduce: () => [0, new Float64Array(8)],
  arrayMoments: () => [new Float64Array(8), new Float64Array(3)],
  arrayDot: () => [new Float64Array(8), new Float32Array(8)],
  arrayScale: () => [2, new Float64Array(8)],
  arrayAxpy: () => [2, new Float64Array(8), new Float64Array(8)],
  arrayRunningSum: () => [new Int16Array(8), new Float64Array(8)],
  arrayHistogram: () => [new Float64Array(8), 0, 1, new Uint32Array(8)],
  arrayGroupSum: () => [new Uint32Array(8), new Float64Array(8), new Float64Array(4), new Float64Array(4)],
  arraySort: () => [new Float64Array(8)],
  arrayArgsort: () => [new Float64Array(8), new Uint32Array(8)],
  arraySelect: () => [new Float64Array(8), Uint32Array.of(1, 5), new Float64Array(2)],
  arrayCompact: () => [new Float64Array(8), 0, 1, new BigUint64Array(2), false, new Float64Array(8)],
  bytesCombine: () => [0, new Uint8Array(8), new Uint8Array(8), new Uint8Array(8)],
  bytesCountBits: () => [new Uint8Array(8)],
  bytesCountCodePoints: () => [new Uint8Array(8)],
  bytesCrc32c: () => [new Uint8Array(8), 0],
  bytesXxh64: () => [new Uint8Array(8), new BigUint64Array(1)],
  bytesHexEncode: () => [new Uint8Array(8)],
  bytesHexDecode: () => ['0a0b', new Uint8Array(2)],
  arrayScatter: () => [new Float64Array(8), new Uint32Array(8), new Float64Array(4)],
  arrayJob: () => [9, 2, 0.5, new Float64Array(8), new Float64Array(8)],
  arrayJobAsync: () => [11, 2, sharedKeys, sharedValues, 4],
  poolThreads: () => [],
};
const sharedKeys = new Int32Array(new SharedArrayBuffer(64));
const sharedValues = new Float64Array(new SharedArrayBuffer(128));
const shape = Int32Array.of(0, 8, 1, 0);

const region = native.regionCreate(8192, 64, 0, false);
const counters = native.countersOpen(Float64Array.of(1, 1, 0, 1), false);
const mask = new Int32Array(4096);
const allowedCpus = mask.slice(0, native.getAffinity(0, mask));

const outcome = { calls: 0, returned: 0, refused: 0, wrong: [] };

function attempt(name, args) {
  outcome.calls += 1;
  try {
    const result = native[name](...args);
    outcome.returned += 1;
    if (name === 'regionCreate') native.regionClose(result.id);
    if (name === 'countersOpen') native.countersClose(result.id);
  } catch (error) {
    const refused =
      error instanceof TypeError ||
      error instanceof RangeError ||
      (error instanceof Error &&
        /^E[A-Z]+$/.test(error.code) &&
        Number.isInteger(error.errno) &&
        error.syscall);
    if (refused) outcome.refused += 1;
    else outcome.wrong.push(`${name}: ${String(error?.stack ?? error).slice(0, 200)}`);
  }
}

const functions = Object.keys(native).filter((name) => typeof native[name] === 'function');
const untested = functions.filter((name) => !(name in VALID) && name !== 'probeCapabilities');
for (const name of functions.filter((candidate) => candidate in VALID)) {
  attempt(name, []);
  for (const value of HOSTILE) {
    attempt(name, [value]);
    attempt(name, new Array(7).fill(value));
    VALID[name]().forEach((_, place) => attempt(name, VALID[name]().with(place, value)));
  }
  // Called as something else than a method, and as a constructor.
  const { [name]: bare } = native;
  try {
    bare.call(null, ...VALID[name]());
    Reflect.construct(bare, VALID[name]());
  } catch {
    // Refusing is fine.
  }
}

console.log(JSON.stringify({ implementation: native.implementation, ...outcome, untested }));

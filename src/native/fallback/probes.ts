/** What a machine costs. JavaScript cannot chase pointers, so nothing here is measured: every figure is NaN. */
import { checkFloat64Array, checkInteger, checkView } from '../arguments.js';
import { CLOCK_COLUMNS, type NativeContract } from '../contract.js';

export const probes = {
  probeLatency(memory, sizeBytes, strideBytes, budgetNs) {
    checkInteger(sizeBytes, 'sizeBytes', 1, 2 ** 40);
    checkInteger(strideBytes, 'strideBytes', 8, 2 ** 20);
    checkInteger(budgetNs, 'budgetNs', 1, 1e10);
    if (strideBytes % 8 !== 0) throw new RangeError(`strideBytes is ${strideBytes}; pass a multiple of 8`);
    checkMemory(memory, sizeBytes);
    return NaN;
  },

  probeBandwidth(memory, sizeBytes, budgetNs) {
    checkInteger(sizeBytes, 'sizeBytes', 1, 2 ** 40);
    checkInteger(budgetNs, 'budgetNs', 1, 1e10);
    checkMemory(memory, sizeBytes);
    return NaN;
  },

  probeClocks(out) {
    checkFloat64Array(out, 'out', CLOCK_COLUMNS.length).fill(NaN, 0, CLOCK_COLUMNS.length);
  },

  emptyCall() {
    // That it does nothing is what it is for.
  },
} satisfies Partial<NativeContract>;

function checkMemory(memory: unknown, sizeBytes: number): void {
  const { byteLength } = checkView(memory, 'memory');
  if (byteLength < sizeBytes) {
    throw new RangeError(`memory has ${byteLength} bytes; it needs ${sizeBytes} (a detached one has none)`);
  }
}

import { describe, expect, it } from 'vitest';
import { CLOCK_COLUMNS } from '../../dist/native/contract.js';
import { IMPLEMENTATIONS } from './implementations.js';

describe.each(IMPLEMENTATIONS)('the probes of the %s', (_name, native) => {
  const measures = native.implementation === 'addon';
  const memory = new Float64Array(8192);

  it('give a positive figure, or NaN where nothing can be measured', () => {
    const figures = [
      native.probeLatency(memory, 65_536, 64, 1e6),
      native.probeBandwidth(memory, 65_536, 1e6),
      ...(() => {
        const out = new Float64Array(CLOCK_COLUMNS.length);
        native.probeClocks(out);
        return out;
      })(),
    ];
    for (const figure of figures)
      expect(measures ? figure > 0 && Number.isFinite(figure) : Number.isNaN(figure)).toBe(true);
  });

  it('keep to the size that they are given', () => {
    memory.fill(1);
    native.probeLatency(memory, 4096, 64, 1000);
    expect(memory.subarray(512).every((value) => value === 1)).toBe(true);
  });

  it('have no latency of a single line, and no bandwidth of less', () => {
    expect(native.probeLatency(memory, 64, 64, 1000)).toBeNaN();
    expect(native.probeBandwidth(memory, 63, 1000)).toBeNaN();
  });

  it.each([
    ['more than there is', () => native.probeLatency(memory, 65_537, 64, 1000)],
    ['a stride that does not fit', () => native.probeLatency(memory, 4096, 12, 1000)],
    ['no budget', () => native.probeLatency(memory, 4096, 64, 0)],
    ['too much of it', () => native.probeBandwidth(memory, 4096, 1e11)],
    ['no memory', () => native.probeBandwidth(new Uint8Array(0), 64, 1000)],
    ['a short array', () => native.probeClocks(new Float64Array(2))],
  ])('refuse %s', (_what, call) => {
    expect(call).toThrow(RangeError);
  });

  it('take nothing but memory', () => {
    expect(() => native.probeLatency([] as any, 64, 64, 1000)).toThrow(TypeError);
    expect(native.emptyCall()).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import type { Metric } from '../../../dist/model/metric.js';
import type { NativeContract, StackFrame, StackSamples } from '../../../dist/native/contract.js';
import { createFallback } from '../../../dist/native/fallback.js';
import { classify, shortName } from '../../../dist/profiling/native-code/families.js';
import { summariseStacks } from '../../../dist/profiling/native-code/summary.js';
import { Gathered, type SamplingWindow } from '../../../dist/profiling/sampler.js';
import { NativeCodeSampler } from '../../../dist/profiling/samplers/native-code.js';

const NODE = 0;
const LIBC = 1;
const ADDON = 2;
const COMPILED = -1;
const modules = [
  { path: process.execPath, symbols: 'full', code: '' },
  { path: '/lib/libc.so.6', symbols: 'exported', code: '' },
  { path: '/app/node_modules/sharp/sharp.node', symbols: 'exported', code: '' },
] as const;
const frame = (name: string, module = NODE, inKernel = false): StackFrame => ({ name, module, inKernel });
const compiled = frame('', COMPILED);
const entry = frame('Builtins_InterpreterEntryTrampoline');
const kindOf = (...stack: StackFrame[]) => {
  const found = classify(stack, modules);
  return found.kind === 'native' ? found.family : found.kind;
};

describe('what a sample of machine code is for', () => {
  it.each([
    ['json', [frame('v8::internal::JsonParser<unsigned char>::ParseJsonValue()')]],
    [
      'json',
      [
        frame('memmove', LIBC),
        frame('v8::internal::Factory::NewString()'),
        frame('v8::internal::Builtin_JsonParse(int)'),
      ],
    ],
    [
      'gc',
      [
        frame('v8::internal::Scavenger::Process()'),
        frame('v8::internal::JsonParser<unsigned char>::ParseJsonValue()'),
      ],
    ],
    ['megamorphic', [frame('Builtins_LoadIC_Megamorphic'), compiled]],
    ['megamorphic', [frame('Builtins_KeyedLoadICTrampoline_Megamorphic'), compiled]],
    ['builtin', [frame('Builtins_LoadIC'), compiled]],
    ['builtin', [frame('Builtins_ArrayPrototypeSort')]],
    ['regexp', [compiled, frame('Builtins_RegExpPrototypeTest'), entry]],
    ['regexp', [frame('v8::internal::RegExpImpl::IrregexpExec()')]],
    ['zlib', [frame('longest_match'), frame('deflate_slow')]],
    ['zlib', [frame('', LIBC), frame('deflate.part.0')]],
    ['zlib', [frame('Cr_z_inflate_fast_chunk_')]],
    ['crypto', [frame('sha512_block_data_order_avx2')]],
    ['crypto', [frame('malloc', LIBC), frame('EVP_MD_CTX_copy_ex')]],
    ['compiler', [frame('v8::internal::compiler::PipelineImpl::Run()')]],
    ['kernel', [frame('write', LIBC, true), frame('uv__fs_write')]],
    ['libuv', [frame('uv__io_poll')]],
    ['node', [frame('node::fs::WriteString()')]],
    ['runtime', [frame('v8::internal::Runtime_GetProperty()')]],
    ['library', [frame('memcpy', LIBC)]],
    ['addon', [frame('', ADDON)]],
    ['javascript', [compiled, frame('Builtins_InterpreterEntryTrampoline')]],
    ['javascript', [compiled, frame('Builtins_ArrayMap'), frame('Builtins_RegExpReplace')]],
    ['javascript', [frame('', -2)]],
    ['interpreter', [frame('Builtins_LdaNamedPropertyHandler'), entry]],
    [
      'profiler',
      [frame('v8::TickSample::Init()'), frame('v8::sampler::SignalHandler::HandleProfilerSignal()')],
    ],
  ] as const)('%s', (family, stack) => {
    expect(kindOf(...stack)).toBe(family);
  });

  it('is not that of a caller behind JavaScript', () => {
    // A reviver that JSON.parse calls allocates: that is the reviver's.
    const stack = [
      frame('v8::internal::Heap::AllocateRaw()'),
      compiled,
      frame('v8::internal::JsonParser<char>::Parse()'),
    ];
    expect(kindOf(...stack)).toBe('runtime');
    expect(kindOf(stack[0]!, frame('Builtins_JSEntry'), stack[2]!)).toBe('runtime');
  });

  it.each([
    [
      'v8::internal::JsonParser<unsigned char>::ScanJsonString(bool)',
      'v8::internal::JsonParser<…>::ScanJsonString',
    ],
    [
      'v8::internal::MaybeHandle<v8::internal::Object> v8::internal::JsonParser<unsigned char>::Parse<int>(int)',
      'v8::internal::JsonParser<…>::Parse<…>',
    ],
    [
      'node::(anonymous namespace)::ZlibContext::DoThreadPoolWork()',
      'node::{anonymous}::ZlibContext::DoThreadPoolWork',
    ],
    ['operator new(unsigned long)', 'operator new'],
    ['std::less<int>::operator()(int, int) const', 'std::less<…>::operator()'],
    ['longest_match', 'longest_match'],
    ['deflate.part.0', 'deflate.part.0'],
  ])('is written short: %s', (symbol, short) => {
    expect(shortName(symbol)).toBe(short);
  });
});

/** Samples of the given stacks, each so many times. */
function samplesOf(...given: readonly (readonly [count: number, ...stack: StackFrame[]])[]): StackSamples {
  const frames: StackFrame[] = [];
  const numbers: number[] = [];
  for (const [count, ...stack] of given) {
    const ids = stack.map((each) => frames.push(each) - 1);
    for (let i = 0; i < count; i += 1) numbers.push(...Array.from({ length: 4 }, (_, at) => ids[at] ?? -1));
  }
  return {
    taken: numbers.length / 4,
    depth: 4,
    stacks: Int32Array.from(numbers),
    frames,
    modules,
    bytesRead: 1,
  };
}

describe('samples by function', () => {
  it('have shares of the CPU time without the profiler’s own', () => {
    const summary = summariseStacks(
      samplesOf(
        [40, frame('v8::internal::JsonParser<unsigned char>::ScanJsonString(bool)')],
        [10, frame('v8::internal::JsonParser<unsigned short>::ScanJsonString(bool)')],
        [20, frame('', LIBC)],
        [5, frame('', ADDON)],
        [15, compiled],
        [10, frame('Builtins_LdarHandler'), entry],
        [50, frame('v8::sampler::SignalHandler::HandleProfilerSignal()')],
      ),
      100,
    );
    expect(summary).toMatchObject({ samples: 100, native: 75, interpreter: 10, unnamed: 5 });
    // The system's libraries are stripped everywhere.
    expect(summary.unnamedModules).toEqual([modules[ADDON].path]);
    expect(summary.functions).toEqual([
      {
        name: 'v8::internal::JsonParser<…>::ScanJsonString',
        module: process.execPath.replace(/^.*\//, ''),
        family: 'json',
        share: 0.5,
        samples: 50,
      },
      { name: 'libc.so.6', module: 'libc.so.6', family: 'library', share: 0.2, samples: 20 },
      { name: 'sharp.node', module: 'sharp.node', family: 'addon', share: 0.05, samples: 5 },
    ]);
  });

  it('are as many rows as were asked for', () => {
    const rows = Array.from({ length: 30 }, (_, i) => [i + 1, frame(`function_${i}`)] as const);
    const { functions } = summariseStacks(samplesOf(...rows), 5);
    expect(functions.map(({ samples }) => samples)).toEqual([30, 29, 28, 27, 26]);
  });
});

const WINDOW = { type: 'cpu', samplingIntervalUs: 2500, maxFunctions: 10 } as SamplingWindow;

/** What a run of the sampler gathers over this native part. */
function runOver(native: Partial<NativeContract>, window = WINDOW): Gathered {
  const sampler = new NativeCodeSampler({ implementation: 'addon', ...native } as NativeContract);
  const naming = sampler.naming();
  const gathered = new Gathered(1000);
  naming.start(window);
  sampler.start(window);
  sampler.stop(gathered);
  naming.stop(gathered);
  sampler.release();
  return gathered;
}

function scripted(taken: StackSamples) {
  const calls: string[] = [];
  const native = {
    stackSamplesStart: (intervalUs: number) => void calls.push(`start ${intervalUs}`),
    stackSamplesStop: () => calls.push('stop') > 0,
    stackSamplesTake: () => (calls.push('take'), taken),
  };
  return { calls, native };
}
const reasonOf = (metric: Metric | undefined) => (metric?.available === false ? metric.reason : undefined);
const valueOf = (metric: Metric | undefined) => (metric?.available === true ? metric.value : undefined);

describe('native code in a profile', () => {
  it('is sampled at the profile’s rate and named after all others have stopped', () => {
    const { calls, native } = scripted(samplesOf([30, frame('longest_match')], [10, compiled]));
    const { metrics, nativeFunctions, warnings } = runOver(native);
    expect(calls).toEqual(['start 10000', 'stop', 'take']);
    expect(valueOf(metrics['cpu.native.share'])).toBe(0.75);
    expect(valueOf(metrics['cpu.interpreter.share'])).toBe(0);
    expect(valueOf(metrics['cpu.native.samples'])).toBe(40);
    expect(nativeFunctions).toMatchObject([{ name: 'longest_match', family: 'zlib', share: 0.75 }]);
    expect(warnings).toEqual([]);
  });

  it('is part of CPU runs alone', () => {
    const { calls, native } = scripted(samplesOf());
    const gathered = runOver(native, { ...WINDOW, type: 'io' });
    expect(calls).toEqual([]);
    expect(gathered.metrics).toEqual({});
    expect(gathered.nativeFunctions).toBeUndefined();
  });

  it('says so where the samples are too few to tell', () => {
    const { metrics, nativeFunctions } = runOver(scripted(samplesOf([19, frame('longest_match')])).native);
    expect(reasonOf(metrics['cpu.native.share'])).toBe('NO_SAMPLES');
    expect(valueOf(metrics['cpu.native.samples'])).toBe(19);
    expect(nativeFunctions).toEqual([]);
  });

  it('warns where functions have no names', () => {
    const { warnings } = runOver(scripted(samplesOf([30, frame('', ADDON)], [70, compiled])).native);
    expect(warnings).toEqual([expect.stringMatching(/^30 % of the CPU time .*sharp\.node has no symbols/)]);
    const few = runOver(scripted(samplesOf([4, frame('', ADDON)], [96, compiled])).native);
    expect(few.warnings).toEqual([]);
  });

  it.each([
    ['ENOTSUP', 'PLATFORM'],
    ['EBUSY', 'BUSY'],
    ['EPERM', 'NOT_PERMITTED'],
  ])('tells what refused it: %s', (code, reason) => {
    const refuse = () => {
      throw Object.assign(new Error(`${code}: timer_create failed`), { code });
    };
    const { metrics, warnings, nativeFunctions } = runOver({ stackSamplesStart: refuse });
    for (const name of ['cpu.native.share', 'cpu.interpreter.share', 'cpu.native.samples'])
      expect(reasonOf(metrics[name])).toBe(reason);
    expect(nativeFunctions).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('needs the addon', () => {
    const { metrics } = runOver(createFallback('kept out'));
    expect(reasonOf(metrics['cpu.native.share'])).toBe('NO_ADDON');
  });

  it('stops the timer also where the run was cut short before it could', () => {
    const { calls, native } = scripted(samplesOf());
    const sampler = new NativeCodeSampler({
      implementation: 'addon',
      ...native,
    } as unknown as NativeContract);
    sampler.start(WINDOW);
    sampler.release();
    sampler.release();
    expect(calls).toEqual(['start 10000', 'stop']);
  });
});

/**
 * What a native function is for, by the names that V8, Node and the libraries inside it gave their functions.
 *
 * The function that ran often says nothing (`memmove`, `Heap::AllocateRaw`), so the callers up to the nearest
 * JavaScript are asked too, from the inside outwards: a collection inside `JSON.parse` is a collection.
 *
 * Checked against Node 20's symbol table; a name that no pattern knows falls into its module's family, so that a
 * renamed function makes a row less telling and never wrong.
 */
import type { NativeFamily } from '../../model/signals.js';
import type { StackFrame, StackModule } from '../../native/contract.js';

/** Names that say what the work is for. The first that matches counts. */
const TELLING: readonly (readonly [NativeFamily, RegExp])[] = [
  ['megamorphic', /^Builtins_\w*IC\w*Megamorphic|v8::internal::StubCache::/],
  [
    'gc',
    /v8::internal::\w*(?:Scaveng|MarkCompact|Marking|Marker|Sweep|Evacuat|GarbageCollect|GCTracer|SemiSpace|Weak\w*Processor)|Heap::\w*(?:CollectGarbage|GarbageCollection|Scavenge|MarkCompact|Epilogue|Prologue)|cppgc::/,
  ],
  ['regexp', /^Builtins_(?:RegExp|StringPrototypeMatch)|v8::internal::\w*(?:RegExp|Irregexp)/],
  ['json', /^Builtins_Json|v8::internal::\w*Json/],
  [
    'compiler',
    /v8::internal::(?:compiler|maglev|baseline|turboshaft|parsing)::|v8::internal::(?:interpreter::Bytecode|interpreter::Interpreter|Compiler|Parser|PreParser|Scanner|AstValue|OptimizingCompile|Optimized|Turbofan|BackgroundCompile|Deoptimiz|DeclarationScope|Bytecode)|^Builtins_(?:CompileLazy|InterpreterOnStackReplacement)/,
  ],
  [
    'zlib',
    /^(?:Cr_z_)?(?:deflate|inflate|longest_match|build_tree|pqdownheap|_tr_|compress_block|crc32|adler32|insert_string|slide_hash|fill_window|gen_bitlen|scan_tree|send_tree|zc(?:alloc|free)|gz)|^Brotli|^ZSTD|^HUF_|^FSE_|node::.*(?:ZlibContext|CompressionStream|BrotliEncoder|BrotliDecoder|ZlibStream|ZstdContext)/,
  ],
  [
    'crypto',
    /node::crypto::|ncrypto::|^(?:EVP|HMAC|SHA\d+|sha\d+|MD5|md5|AES|aes|aesni|vpaes|PKCS|PEM|ossl|OSSL|OPENSSL|BN|bn|RSA|rsa|EC|ec|ecp|ECDSA|x25519|x448|curve448|ge|fe51|gcm|ghash|CRYPTO|scrypt|salsa\w*|blake2\w*|poly1305|chacha\w*|ChaCha\w*|[kK]eccak\w*|DH|DSA|RAND|ASN1|X509)_/,
  ],
];

/** Names under which V8 executes JavaScript that is not compiled. */
const INTERPRETER = /^Builtins_(?:\w+Handler|Interpreter\w*|Baseline(?:OutOfLine\w*|OrInterpreter\w*))$/;
/** Builtins that run what compiled a regular expression. */
const RUNS_REGEXP = /^Builtins_RegExp|RegExpMacroAssembler|v8::internal::\w*(?:RegExp|Irregexp)/;
/** V8's profiler, in its signal handler on this thread. */
const PROFILER = /v8::sampler::|v8::internal::(?:CpuSampler|TickSample|CpuProfiler|SamplingEventsProcessor)/;
/** Between native code and the JavaScript that called it. */
const INTO_JAVASCRIPT = /^Builtins_(?:JSEntry|JSConstructEntry|JSRunMicrotasksEntry|Interpreter\w*)/;

const COMPILED_CODE = -1;

/** What one sample found: a native function with its family, or why it is none. */
export type Classified =
  | { readonly kind: 'native'; readonly family: NativeFamily; readonly name: string; readonly module: string }
  | { readonly kind: 'javascript' | 'interpreter' | 'profiler' };

const JAVASCRIPT: Classified = { kind: 'javascript' };

/** @param stack what ran, then its callers outwards. */
export function classify(stack: readonly StackFrame[], modules: readonly StackModule[]): Classified {
  const [leaf, caller] = stack;
  if (leaf === undefined) return JAVASCRIPT;
  if (stack.some(({ name }) => PROFILER.test(name))) return { kind: 'profiler' };
  if (leaf.module < 0) {
    // A regular expression's code lies with JavaScript's. A builtin that replaces also calls the program's function:
    // the part of its time that V8 compiled cannot be told from the expression's.
    const isRegExp = leaf.module === COMPILED_CODE && caller !== undefined && RUNS_REGEXP.test(caller.name);
    return isRegExp
      ? { kind: 'native', family: 'regexp', name: 'compiled regular expression', module: 'V8' }
      : JAVASCRIPT;
  }
  if (INTERPRETER.test(leaf.name)) return { kind: 'interpreter' };
  const path = modules[leaf.module]?.path ?? '';
  const module = moduleName(path);
  const name = leaf.name === '' ? module : shortName(leaf.name);
  return { kind: 'native', family: familyOf(stack, path), name, module };
}

function familyOf(stack: readonly StackFrame[], path: string): NativeFamily {
  const leaf = stack[0]!;
  if (leaf.inKernel) return 'kernel';
  for (const { name, module } of stack) {
    if (module < 0 || INTO_JAVASCRIPT.test(name)) break;
    const telling = TELLING.find(([, pattern]) => pattern.test(name));
    if (telling !== undefined) return telling[0];
  }
  if (leaf.name.startsWith('Builtins_')) return 'builtin';
  if (/^uv_/.test(leaf.name)) return 'libuv';
  if (/\bnode::/.test(leaf.name)) return 'node';
  if (/\bv8::/.test(leaf.name)) return 'runtime';
  if (path === process.execPath) return leaf.name === '' ? 'node' : 'runtime';
  return path.endsWith('.node') ? 'addon' : 'library';
}

function moduleName(path: string): string {
  return path.replace(/ \(deleted\)$/, '').replace(/^.*\//, '');
}

/** `v8::internal::JsonParser<…>::BuildJsonObject`: without arguments, return type, and what templates were made for. */
export function shortName(symbol: string): string {
  const text = symbol.replaceAll('(anonymous namespace)', '{anonymous}');
  let name = '';
  let depth = 0;
  for (const [at, char] of [...text].entries()) {
    const isOperator = name.endsWith('operator') || name.endsWith('operator<');
    if (char === '(' && depth === 0 && !isOperator) break;
    if (char === '<' && !isOperator) {
      if (depth === 0 && at > 0) name += '<…>';
      depth += 1;
    } else if (char === '>' && depth > 0) depth -= 1;
    // The type before a name, and `const` before that.
    else if (char === ' ' && depth === 0 && !isOperator) name = '';
    else if (depth === 0) name += char;
  }
  return name === '' ? symbol : name;
}

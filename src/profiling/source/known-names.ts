/**
 * Names of the language and of Node that a profile gives a meaning: what makes objects, what waits, what matches. Told
 * by the name alone, for the source knows no types; whoever asks has samples beside it.
 */

export const REGEXP_METHODS = new Set([
  'test',
  'exec',
  'match',
  'matchAll',
  'replace',
  'replaceAll',
  'search',
  'split',
]);
/** Methods of text that take a pattern, or text, as their first argument. */
export const REGEXP_ARGUMENT = new Set(['replace', 'replaceAll', 'split', 'search']);
export const ALLOCATING_TYPES = new Set([
  'ObjectExpression',
  'ArrayExpression',
  'NewExpression',
  'ClassExpression',
  'SpreadElement',
  'TemplateLiteral',
]);
export const ALLOCATING_CALLS = new Set([
  ...[
    'map',
    'filter',
    'slice',
    'concat',
    'split',
    'from',
    'keys',
    'values',
    'entries',
    'push',
    'set',
    'add',
    'parse',
  ],
  ...[
    'stringify',
    'alloc',
    'allocUnsafe',
    'allocUnsafeSlow',
    'join',
    'repeat',
    'padStart',
    'toString',
    'bind',
    'fill',
  ],
]);
export const MAKING_TYPES = new Set(['ObjectExpression', 'ArrayExpression', 'NewExpression']);
/** Methods of maps and sets, which look a key up in a stub of V8's own. */
export const HASH_CALLS = new Set(['get', 'set', 'has', 'add', 'delete']);
/** What is an object of its own each time that it is evaluated. */
export const LITERALS = new Set(['ObjectExpression', 'ArrayExpression', 'SpreadElement']);
/** Methods that return a new list or object, whatever they do besides. */
export const COPYING_CALLS = new Set(['map', 'slice', 'concat', 'from', 'entries', 'assign', 'fromEntries']);
export const KEEPING_CALLS = new Set(['push', 'unshift', 'set', 'add', 'append']);
/** `list.slice`, `text.trim`: their time is the method's, not the look-up's. */
export const BUILTIN_METHODS = new Set(
  [
    Array,
    String,
    Map,
    Set,
    WeakMap,
    Number,
    RegExp,
    Promise,
    Date,
    Uint8Array,
    Object.getPrototypeOf(Uint8Array),
  ]
    .map(({ prototype }) => prototype as object)
    .flatMap((prototype) => Object.getOwnPropertyNames(prototype)),
);
export const LOOPS = new Set([
  'ForStatement',
  'ForOfStatement',
  'ForInStatement',
  'WhileStatement',
  'DoWhileStatement',
]);
export const MICROTASK_CALLS = new Set(['nextTick', 'queueMicrotask', 'then', 'resolve', 'catch', 'finally']);
/** Ways to wait for another thread: asleep, or by trying again and again. */
export const LOCKING = new Set(['wait', 'compareExchange', 'exchange']);
export const TIMER_CALLS = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
]);

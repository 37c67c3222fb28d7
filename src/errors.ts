/**
 * The catalogue of errors: every error that this package throws stands here once, with what happened and what
 * to do next. `docs/errors.md` has a section for each code; a test holds the two lists equal.
 *
 * Placeholders in braces are filled by `fail(code, params)`, whose parameters TypeScript checks against them.
 */
const CATALOGUE = {
  // Arguments and settings
  INVALID_ARGUMENT: ['InvalidArgumentError', '{name} is {actual}.', 'Pass {expected}.'],
  UNKNOWN_SETTING: ['SettingsError', 'Unknown setting "{path}".', '{suggestion}'],
  INVALID_SETTING: ['SettingsError', 'Setting "{path}" is {actual}.', 'Use {expected}.'],
  NOT_SUPPORTED: ['NotSupportedError', '{what} is not supported {where}.', '{remedy}'],
  CLOSED: ['ClosedError', '{what} was used after it was closed.', 'Create a new one, or close it later.'],
  ABORTED: ['AbortedError', '{what} was aborted.', 'This follows from the AbortSignal that was passed.'],

  // Native addon
  ADDON_REQUIRED: [
    'NotSupportedError',
    '{what} needs the native addon, which is not loaded: {reason}',
    'Run `sysopt doctor` to see what would make the addon load.',
  ],
  SYSTEM_CALL: ['NativeError', '{syscall} failed for {what}: {reason}', '{remedy}'],
  OUT_OF_MEMORY: [
    'NativeError',
    'The system has no {sizeBytes} bytes for {what}.',
    'Ask for less, or raise the memory limit of the process or its container.',
  ],

  // Memory
  POOL_EXHAUSTED: [
    'PoolExhaustedError',
    'All {slots} slots of pool "{pool}" are in use.',
    'Release slots, raise maxSlots, or wait with acquireAsync().',
  ],
  STALE_HANDLE: [
    'HandleError',
    'Handle {handle} of pool "{pool}" was released already.',
    'Look for a double release, or for a use after release.',
  ],
  FOREIGN_HANDLE: [
    'HandleError',
    '{handle} is no handle of pool "{pool}".',
    'Pass what acquire() or allocate() of this pool returned.',
  ],
  USE_AFTER_RELEASE: [
    'HandleError',
    'Slot {slot} of pool "{pool}" was written after its release: byte {offsetBytes} is {actual}{releasedAt}.',
    'Look for a view, a Buffer or an operation under way that outlived release().',
  ],
  ALREADY_ATTACHED: [
    'AttachError',
    'This thread is attached to pool "{pool}" already.',
    'Attach once in a thread and pass the pool on; call detach() before attaching anew.',
  ],
  POOL_CROWDED: [
    'AttachError',
    'All {maxThreads} places for threads of pool "{pool}" are taken.',
    'Create the pool with a higher maxThreads, detach() threads that are done, or reclaim() those that died.',
  ],
  // Sharing between threads
  WAIT_ON_MAIN_THREAD: [
    'LockError',
    '{method}() of {what} would block the main thread.',
    'Use {method}Async() or the try method there; where nothing else runs, pass allowMainThread: true.',
  ],
  WAIT_TIMED_OUT: [
    'WaitTimeoutError',
    '{what} was not to be had within {timeoutMs} ms.',
    'Allow more time, hold it for less, or look at stats() for contention; recover() what a dead thread held.',
  ],
  LOCK_RECURSIVE: [
    'LockError',
    'Thread {threadId} holds mutex "{name}" already, and lock() would wait for itself.',
    'Unlock first, or split the function that is called with the lock held from the one that takes it.',
  ],
  LOCK_NOT_HELD: [
    'LockError',
    'Thread {threadId} does not hold mutex "{name}": {state}.',
    'Call this between lock() and unlock() of the same thread; withLock() pairs them.',
  ],
  SEMAPHORE_OVERFLOW: [
    'LockError',
    'Releasing {permits} permits of semaphore "{name}" would make more than {maxPermits}.',
    'Release once for each acquire, or create it with a higher maxPermits.',
  ],
  RING_SIDE_TAKEN: [
    'LockError',
    'Thread {threadId} cannot be the {role} of this ring: thread {holder} is.',
    'Use an MpmcQueue, or have the other thread leave() the ring; recover() the side of a thread that died.',
  ],
  BARRIER_BROKEN: [
    'LockError',
    'Barrier "{name}" is broken: a party gave up, died or broke it.',
    'Once no thread waits at it any more, reset() it and start the phase anew.',
  ],
  LIMIT_EXCEEDED: [
    'LimitExceededError',
    'Limiter "{name}" refused a call: {reason} (limit {limit}).',
    'Answer 503 with Retry-After, or try elsewhere; see stats() for whether the limit or the load is unusual.',
  ],
  OUT_OF_SPACE: [
    'OutOfSpaceError',
    '{what} has no room for {requestedBytes} bytes ({freeBytes} free of {sizeBytes}).',
    'Create it larger, reset it, or free blocks first.',
  ],
  INVALID_SCHEMA: ['InvalidArgumentError', 'Struct "{name}": {problem}', '{remedy}'],
  LOOP_NOT_COMPILABLE: [
    'InvalidArgumentError',
    'The loop cannot be compiled, {place}: {problem}.',
    '{remedy}',
  ],
  C_DECLARATION: ['InvalidArgumentError', '{where}: {problem}.', '{remedy}'],

  // Validation
  SUBJECT_UNLOADABLE: ['SubjectError', 'Cannot load {subject}: {reason}', '{remedy}'],
  SUBJECT_THREW: [
    'SubjectError',
    '{subject} threw while it was measured: {reason}',
    'Make it run on its own first; a subject that throws cannot be compared.',
  ],
  SUBJECT_DIED: [
    'SubjectError',
    'The process that measured {subject} ended ({how}) before it reported.',
    'Run the subject alone and look at its output: {output}',
  ],
  SUBJECT_TIMED_OUT: [
    'SubjectError',
    '{subject} gave no result within {timeoutMs} ms and was stopped.',
    'Raise timeoutMs if it is that slow; otherwise look for an endless loop or a promise that never settles.',
  ],
  SUBJECTS_DISAGREE: [
    'SubjectError',
    '{candidate} and {baseline} give different results: {difference}',
    '{remedy}',
  ],
  ZERO_WORK: [
    'SubjectError',
    '{subject} does no measurable work ({costNs} ns a call).',
    'Let it return what it computed, so that it cannot be optimised away, or give it more to do.',
  ],

  // Optimisation
  SUBJECT_NOT_HERE: [
    'SubjectNotHereError',
    '{subject} is not registered in this process.',
    'Register it with optimizer.register() in the process that runs it, or: {remedy}',
  ],
  UNKNOWN_ID: ['NotFoundError', 'There is no {what} "{id}" in {where}.', '{remedy}'],
  NOTHING_TO_APPLY: [
    'NotSupportedError',
    '"{title}" is for a person to do; no call carries it out.',
    '{remedy}',
  ],
  EXPERIMENT_WITHOUT_MODULE: [
    'SubjectNotHereError',
    'The experiment on {cause} needs a module that does the work of {of} both ways: as it is, and without the cause.',
    'Fill in the recommendation’s action.template as experiment.mjs, and pass module, export "{name}" and factory: true to optimizer.apply beside "{id}", or run: sysopt test-cause --recommendation {id} --module experiment.mjs --export {name} --factory.',
  ],
  DUPLICATE_NAME: [
    'InvalidArgumentError',
    'A {kind} named "{name}" is registered already.',
    'Choose another name.',
  ],

  // Threads
  TASK_UNLOADABLE: ['TaskError', 'Worker cannot load {task}: {reason}', '{remedy}'],
  WORKER_DIED: [
    'TaskError',
    'The worker that ran {task} ended ({how}).',
    'Other tasks are not affected; look at what the task does to its process.',
  ],
  WORKER_NOT_STARTED: [
    'TaskError',
    'Threads of pool "{pool}" do not come up ({how}).',
    'Check resourceLimits, the Node flags and preloaded modules that threads inherit, and how many threads and how much memory the process may have.',
  ],
  QUEUE_FULL: [
    'TaskError',
    'Thread pool "{pool}" has {queueLimit} tasks waiting, which is its limit.',
    'Await earlier tasks first, raise queueLimit, or let run() wait with queueFull: "wait".',
  ],
  TASK_TIMED_OUT: [
    'TaskError',
    '{task} gave no result within {deadlineMs} ms and was stopped.',
    'Raise deadlineMs if it is that slow; otherwise look for an endless loop, or for a queue that is too long.',
  ],
  TASK_THREW: ['TaskError', '{task} threw{where}: {reason}', 'The original error is this error’s cause.'],

  // Executors
  PACKAGE_REQUIRED: [
    'NotSupportedError',
    '{what} needs the npm package {package}, which cannot be loaded: {reason}',
    'Install it beside this one: npm install {install}',
  ],
  BACKEND_UNREACHABLE: [
    'ExecutorError',
    'Queue "{queue}" has no connection to {backend}: {reason}',
    'Start it, or check host, port and credentials; jobs that were handed over before are kept there.',
  ],
  PAYLOAD_TOO_LARGE: ['ExecutorError', '{what} of {task} take {sizeBytes} bytes: {reason}', '{remedy}'],
  PAYLOAD_LOST: [
    'ExecutorError',
    '{what} of {task} are no longer stored under {reference}.',
    'Raise keepResultsMs, give the backend memory enough and no eviction, or keep the folder of payloads.',
  ],
  JOB_LOST: [
    'ExecutorError',
    'Job {id} ({task}) is not in queue "{queue}" any more, and its result was not seen.',
    'It was removed, evicted, or ended longer ago than keepResultsMs. Where it may run twice, hand it in again.',
  ],
  JOB_GIVEN_UP: [
    'TaskError',
    '{task} was given up: too many of its consumers died or lost it while it ran ({reason}).',
    'It lies among the dead letters. Look at what it does to its process, or raise maxStalls of the consumers.',
  ],
  TASK_REFUSED: ['TaskError', 'The consumer refuses {task}: {reason}', '{remedy}'],

  // Storage
  STORAGE_NOT_A_DIRECTORY: [
    'StorageError',
    'Storage path {path} is not a directory.',
    'Give a directory that exists or can be created, as storagePath or --storage.',
  ],
  STORAGE_NOT_WRITABLE: [
    'StorageError',
    'Cannot write {path}: {reason}',
    'What was stored before is unchanged. Make it writable, free space, or choose another storagePath.',
  ],
  OUTPUT_NOT_WRITABLE: [
    'StorageError',
    'Cannot write {path}: {reason}.',
    'Give another file with {option}; its folder must exist or be one that can be made.',
  ],
  DOCUMENT_CORRUPT: [
    'StorageError',
    'Stored document {path} cannot be read: {reason}',
    'Other documents are not affected. Move the file away, or restore it from a copy.',
  ],
  DOCUMENT_TOO_NEW: [
    'StorageError',
    'Stored document {path} has schema version {found}; this version reads up to {supported}.',
    'Update system-optimizer, or use another storagePath.',
  ],

  // Command line and targets
  TARGET_NOT_FOUND: ['TargetError', 'Cannot start "{command}": {reason}', 'Check the command after `--`.'],
  TARGET_EXITED: [
    'TargetError',
    'The program ended ({how}) {when}.',
    'Run it alone to see why. Its last output: {output}',
  ],
  TARGET_NO_AGENT: [
    'TargetError',
    'No Node process of the program reported within {timeoutMs} ms.',
    'The program must run Node 20.19 or later and keep NODE_OPTIONS for its children.',
  ],
  AGENT_FAILED: [
    'TargetError',
    'Process {pid} could not be profiled: {reason}',
    'Look at its own output; profile again, for a shorter time if it is short-lived.',
  ],
  PROCESS_NOT_FOUND: [
    'TargetError',
    'There is no process {pid}: {reason}',
    'Look for it with: pgrep -a node',
  ],
  PROCESS_NOT_NODE: [
    'TargetError',
    'Process {pid} is no Node process: it runs {executable}.',
    'Nothing was sent to it. Name the process that runs Node itself: pgrep -a node',
  ],
  PROCESS_NOT_YOURS: [
    'TargetError',
    'Process {pid} belongs to {owner}, and this user may not look into it.',
    'Run sysopt as that user or as root.',
  ],
  INSPECTOR_REFUSED: ['TargetError', 'The inspector of process {pid} cannot be used: {reason}', '{remedy}'],
  URL_NOT_ANSWERING: [
    'TargetError',
    'Nothing answered at {url} within {timeoutMs} ms: {reason}',
    'Check the port and path, or raise --ready-timeout.',
  ],
} as const satisfies Record<string, readonly [className: string, message: string, remedy: string]>;

export type ErrorCode = keyof typeof CATALOGUE;

type Placeholders<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
type Params<C extends ErrorCode> = Record<
  Placeholders<(typeof CATALOGUE)[C][1]> | Placeholders<(typeof CATALOGUE)[C][2]>,
  string | number
>;

export interface ErrorContext {
  readonly cause?: unknown;
  /** POSIX error name, e.g. `EACCES`. */
  readonly errno?: string;
  readonly syscall?: string;
}

/** Base of every error that this package throws on purpose. */
export class OptimizerError extends Error {
  readonly code: ErrorCode;
  /** What to do next. Part of the message too. */
  readonly hint: string;
  readonly errno?: string;
  readonly syscall?: string;

  constructor(code: ErrorCode, message: string, hint: string, context: ErrorContext = {}) {
    super(
      hint === '' ? message : `${asSentence(message)} ${hint}`,
      context.cause === undefined ? undefined : { cause: context.cause },
    );
    this.name = new.target.name;
    this.code = code;
    this.hint = hint;
    if (context.errno !== undefined) this.errno = context.errno;
    if (context.syscall !== undefined) this.syscall = context.syscall;
  }
}

/** An argument has the wrong type or lies outside its range. */
export class InvalidArgumentError extends OptimizerError {}
/** A settings tree has an unknown key or a value outside its vocabulary. */
export class SettingsError extends OptimizerError {}
/** What was asked for does not exist on this platform, or not in this version. */
export class NotSupportedError extends OptimizerError {}
/** Used after `close()`. */
export class ClosedError extends OptimizerError {}
/** Ended by the caller's AbortSignal. */
export class AbortedError extends OptimizerError {}
/** A system call failed. `errno` and `syscall` say which and how. */
export class NativeError extends OptimizerError {}
/** A pool has no free slot and may not grow. */
export class PoolExhaustedError extends OptimizerError {}
/** A pool handle is stale or not this pool's. */
export class HandleError extends OptimizerError {}
/** A thread cannot attach to a shared pool. */
export class AttachError extends OptimizerError {}
/** A primitive that threads share was misused, or its state does not allow the call. */
export class LockError extends OptimizerError {}
/** A wait was over before it was granted. */
export class WaitTimeoutError extends OptimizerError {}
/** A limiter sheds load. */
export class LimitExceededError extends OptimizerError {}
/** An arena or buddy allocator has no room. */
export class OutOfSpaceError extends OptimizerError {}
/** A subject of a comparison cannot be loaded, throws, hangs, dies or disagrees. */
export class SubjectError extends OptimizerError {}
/** `apply` was called where the subject does not live. */
export class SubjectNotHereError extends OptimizerError {}
/** No such id in the store. */
export class NotFoundError extends OptimizerError {}
/** A task failed in a worker. `cause` is the original error where there is one. */
export class TaskError extends OptimizerError {}
/** What carries jobs to other processes cannot be reached, or lost or cannot take something. */
export class ExecutorError extends OptimizerError {}
/** The store cannot be read or written. */
export class StorageError extends OptimizerError {}
/** The program to be profiled cannot be started, ended early or does not answer. */
export class TargetError extends OptimizerError {}

const CLASSES = {
  InvalidArgumentError,
  SettingsError,
  NotSupportedError,
  ClosedError,
  AbortedError,
  NativeError,
  PoolExhaustedError,
  HandleError,
  AttachError,
  LockError,
  WaitTimeoutError,
  LimitExceededError,
  OutOfSpaceError,
  SubjectError,
  SubjectNotHereError,
  NotFoundError,
  TaskError,
  ExecutorError,
  StorageError,
  TargetError,
};

/**
 * Makes (does not throw) the catalogue's error for a code.
 *
 * @example
 * throw fail('INVALID_ARGUMENT', { name: 'durationMs', actual: '-5', expected: 'a positive number' });
 */
export function fail<C extends ErrorCode>(
  code: C,
  params: Params<C>,
  context?: ErrorContext,
): OptimizerError {
  const [className, message, remedy] = CATALOGUE[code];
  const fill = (template: string) =>
    template.replace(/\{(\w+)\}/g, (_, name: string) => String((params as Record<string, unknown>)[name]));
  return new CLASSES[className](code, fill(message), fill(remedy), context);
}

/** Codes with their class and templates, for docs/errors.md and its test. */
export function errorCatalogue(): { code: ErrorCode; className: string; message: string; remedy: string }[] {
  return Object.entries(CATALOGUE).map(([code, [className, message, remedy]]) => ({
    code: code as ErrorCode,
    className,
    message,
    remedy,
  }));
}

/** What a subject threw, or a difference, may end a message without a full stop: the remedy that follows needs one. */
function asSentence(message: string): string {
  return /[.!?…]$/.test(message) ? message : `${message}.`;
}

/** A value as an error message shows it: short, on one line, with its type where that helps. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (typeof value === 'object' && value !== null) {
    if (Array.isArray(value)) return `an array of ${value.length}`;
    const name = value.constructor?.name ?? 'Object';
    if (name === 'Object') return 'an object';
    // Not a Uint8Array or a URL.
    return `${/^(?:[AEIO]|Un)/i.test(name) ? 'an' : 'a'} ${name}`;
  }
  return String(value);
}

/**
 * SIGTERM and SIGINT of a program that does not handle them, so that what was gathered is stored before it dies of
 * them, as it would have.
 *
 * Method. Node's own signal handle, the one below `process.on`: the program sees no listener of ours, whose presence
 * changes what packages like signal-exit do. Where the program listens itself, it alone decides. Where nobody does, the
 * handle is closed and the signal raised again, so that the process ends by it.
 *
 * A program that sends such a signal to itself, as after one that it had handled, has died when `process.kill` returns. With
 * a handle it would live on to its loop's next turn, if there is one, so `process.kill` closes the handle first.
 *
 * The handle is opened with the loop's first turn: a script that never lets it turn could not be told of the signal,
 * would outlive it, and so is left to die at once. A loop that is blocked later dies when it comes round.
 */
import { constants } from 'node:os';
import { Patches } from './activity/patches.js';
import { withoutWarnings } from './without-warnings.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type EndingSignal = (typeof SIGNALS)[number];

const NUMBERS = constants.signals;

/** Part of what Node's `signal_wrap` has. */
interface SignalHandle {
  onsignal: () => void;
  start(signal: number): number;
  close(): void;
  unref(): void;
}

/**
 * @param handOver called before the process dies of a signal.
 * @returns stops listening. Where Node gives no handle, nothing is listened to.
 */
export function onEndingSignal(handOver: () => void): () => void {
  let handles: SignalHandle[] = [];
  const patches = new Patches();
  const stop = () => {
    clearImmediate(opening);
    for (const handle of handles) handle.close();
    handles = [];
    patches.restore();
  };
  const die = (name: EndingSignal): boolean => {
    if (handles.length === 0 || process.listenerCount(name) > 0) return false;
    stop();
    handOver();
    return true;
  };
  const opening = setImmediate(() => {
    const open = handleClass();
    if (open === undefined) return;
    for (const name of SIGNALS) {
      const handle = new open();
      handle.unref();
      handle.onsignal = () => {
        if (die(name)) process.kill(process.pid, name);
      };
      if (handle.start(NUMBERS[name]) === 0) handles.push(handle);
    }
    patches.wrap(process, 'kill', (original) => {
      return function tracedKill(this: unknown, ...args: unknown[]): unknown {
        const [pid, signal = 'SIGTERM'] = args;
        const isSelf = pid === process.pid || pid === 0 || pid === -process.pid;
        const name = SIGNALS.find((each) => each === signal || NUMBERS[each] === signal);
        if (isSelf && name !== undefined) die(name);
        return Reflect.apply(original, this, args);
      };
    });
  });
  opening.unref();
  return stop;
}

/** Undefined on Windows, where a signal ends a process at once. Node warns of its use, which is not the program's. */
function handleClass(): (new () => SignalHandle) | undefined {
  if (process.platform === 'win32') return undefined;
  try {
    type Bindings = { binding(name: string): { Signal?: new () => SignalHandle } };
    return withoutWarnings(() => (process as unknown as Bindings).binding('signal_wrap').Signal);
  } catch {
    // Denied, or gone from this Node.
    return undefined;
  }
}

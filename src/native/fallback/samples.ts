/** What the calling thread executes. A signal handler cannot be written in JavaScript, so there are no samples. */
import { checkInteger } from '../arguments.js';
import type { NativeContract } from '../contract.js';
import { systemError } from './system-error.js';

export const samples = {
  stackSamplesStart(intervalUs) {
    checkInteger(intervalUs, 'intervalUs', 100, 1e6);
    throw systemError('ENOSYS', 'timer_create', "the thread's CPU clock");
  },

  stackSamplesStop: () => false,

  stackSamplesTake: () => ({
    taken: 0,
    depth: 16,
    stacks: new Int32Array(0),
    frames: [],
    modules: [],
    bytesRead: 0,
  }),
} satisfies Partial<NativeContract>;

// Loops as ordinary pools run them: a part of the range a task. Typed arrays on a SharedArrayBuffer are not copied.
import * as kernels from './loop-kernels.js';

export default ({ name, start, end, shared }) => kernels[name](start, end, shared);

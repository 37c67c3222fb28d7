// The loops of bench/parallel-loops.js.

export const sum = (start, end, { values }) => {
  let total = 0;
  for (let i = start; i < end; i += 1) total += values[i];
  return total;
};

export const scale = (start, end, { values, factor }) => {
  for (let i = start; i < end; i += 1) values[i] *= factor;
};

/** Some ten nanoseconds an iteration, whatever the memory does. */
export const polish = (start, end, { values }) => {
  for (let i = start; i < end; i += 1) {
    let x = values[i];
    for (let n = 0; n < 4; n += 1) x = (x + 2 / x) / 2;
    values[i] = x;
  }
};

/** Iteration i costs i: a plain split of the range gives the second half three quarters of the work. */
export const triangle = (start, end, { output }) => {
  for (let i = start; i < end; i += 1) {
    let total = 0;
    for (let j = 0; j < i; j += 1) total += (i ^ j) & 7;
    output[i] = total;
  }
};

export const mandelbrot = (start, end, { output, width, height }) => {
  for (let row = start; row < end; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const [cx, cy] = [(column / width) * 3 - 2, (row / height) * 2 - 1];
      let x = 0;
      let y = 0;
      let n = 0;
      for (; x * x + y * y < 4 && n < 300; n += 1) [x, y] = [x * x - y * y + cx, 2 * x * y + cy];
      output[row * width + column] = n;
    }
  }
};

/** Forces on bodies `start` to `end` by all others. */
export const nbody = (start, end, { x, y, output }) => {
  for (let i = start; i < end; i += 1) {
    let force = 0;
    for (let j = 0; j < x.length; j += 1) {
      const dx = x[j] - x[i];
      const dy = y[j] - y[i];
      const square = dx * dx + dy * dy + 1e-9;
      force += dx / (square * Math.sqrt(square));
    }
    output[i] = force;
  }
};

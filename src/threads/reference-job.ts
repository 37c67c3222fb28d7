/** The job that stands for a service's own where none is registered: rows of the Mandelbrot set, of uneven cost. */
import { Job } from './job.js';
import { defineTask, type RangeFunction } from './task.js';

export interface ReferenceData {
  readonly counts: Uint16Array;
  readonly width: number;
  readonly height: number;
}

const MAX_ITERATIONS = 200;

export function mandelbrotRows(start: number, end: number, { counts, width, height }: ReferenceData): void {
  for (let row = start; row < end; row += 1) {
    const y0 = (row / height) * 2 - 1;
    for (let column = 0; column < width; column += 1) {
      const x0 = (column / width) * 3 - 2;
      let x = 0;
      let y = 0;
      let iterations = 0;
      while (x * x + y * y < 4 && iterations < MAX_ITERATIONS) {
        const next = x * x - y * y + x0;
        y = 2 * x * y + y0;
        x = next;
        iterations += 1;
      }
      counts[row * width + column] = iterations;
    }
  }
}

/** @param height rows; about 10 to 30 µs of work each. */
export function referenceJob(height: number): Job<ReferenceData, void> {
  const width = 96;
  return new Job<ReferenceData, void>({
    name: `reference job (Mandelbrot set, ${height} rows)`,
    task: defineTask<RangeFunction<ReferenceData, void>>(import.meta.url, 'mandelbrotRows'),
    range: [0, height],
    shared: { counts: new Uint16Array(new SharedArrayBuffer(2 * width * height)), width, height },
  });
}

/** Types of driver.cjs, for the cases that are written in TypeScript. */
import type { Server } from 'node:http';

export function drive(
  server: Server,
  load: { ratePerSecond: number; connections?: number; paths?: readonly string[]; body?: string },
): void;

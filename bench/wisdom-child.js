// One fresh process of bench/wisdom.js: the time from the wisdom's text to 50 computations with their choice in force.
import { readFileSync } from 'node:fs';
import { computation } from '../dist/computation/computation.js';
import { importWisdom } from '../dist/computation/wisdom.js';

const [file, count] = process.argv.slice(2);
const computations = Array.from({ length: Number(count) }, (_, i) =>
  computation({ name: `computation ${i}`, variants: { a: (n) => n + i, b: (n) => i + n } }),
);
const startMs = performance.now();
const { applied } = importWisdom(JSON.parse(readFileSync(file, 'utf8')), computations);
const elapsedMs = performance.now() - startMs;
if (applied.length !== computations.length) throw new Error(`Only ${applied.length} were put in force.`);
const wrong = computations.find(({ dispatch }, i) => dispatch(3) !== i + 3);
if (wrong) throw new Error(`${wrong.name} computes something else.`);
process.stdout.write(String(elapsedMs));

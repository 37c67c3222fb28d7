// npm run verify:shared-pool [-- --seed N --scale 1]: the stress test of SharedSlabPool at its whole length, 10^8
// operations and more. The unit tests run the same in small.
import { parseArgs } from 'node:util';
import { stress } from './shared-pool/stress.js';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, scale: { type: 'string', default: '1' } },
});
const scale = Number(values.scale);
const PHASES = [
  { threads: 2, limit: 24, operations: 25e6 },
  { threads: 4, limit: 24, operations: 25e6 },
  { threads: 4, limit: 1500, operations: 25e6 },
  { threads: 2, limit: 24, operations: 15e6, kills: 60 },
  { threads: 4, limit: 24, operations: 15e6, kills: 120 },
];

let total = 0;
for (const [k, phase] of PHASES.entries()) {
  const result = await stress({
    ...phase,
    operations: Math.ceil(phase.operations * scale),
    kills: phase.kills && Math.ceil(phase.kills * scale),
    seed: Number(values.seed) + k,
  });
  total += result.operations;
  console.log(
    `${result.threads} threads, ${result.slots} slots: ${(result.operations / 1e6).toFixed(1)} million operations in ` +
      `${result.seconds.toFixed(1)} s, ${result.terminated} threads terminated, ${result.reclaimed} slots reclaimed`,
  );
}
console.log(`${total} operations: no slot handed out twice, none lost, none refused that was free.`);

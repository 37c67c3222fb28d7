// The same comparison by `vitest bench`; see rival.js. Parameters come by environment.
import { bench, describe } from 'vitest';
import * as workloads from './workloads.js';

const { AA_WORKLOAD = 'arithmetic', AA_WORK_A = '1', AA_WORK_B = '1' } = process.env;

describe(AA_WORKLOAD, () => {
  bench('a', workloads[AA_WORKLOAD](Number(AA_WORK_A)));
  bench('b', workloads[AA_WORKLOAD](Number(AA_WORK_B)));
});

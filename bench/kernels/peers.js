// The kernels beside packages that people take for the same work. Those that are not installed are named: DuckDB's bindings
// are 60 to 120 MB and no dependency of ours; `npm install --no-save` gets them.
import * as simple from 'simple-statistics';
import * as kernels from '../../dist/computation/kernels/kernels.js';
import { random } from './loops.js';
import { median, pair, QUICK, show, table } from './pairs.js';

const GROUPS = 100;

async function tryImport(name) {
  try {
    const module = await import(name);
    return module.default ?? module;
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

/** [kernel, peer, package, peer's call (undefined where the package is missing), ours] */
async function contests(n) {
  const v = Float64Array.from({ length: n }, () => random() * 1000);
  const w = Float64Array.from({ length: n }, random);
  const out = new Float64Array(n);
  const copy = v.slice();
  const keys = Uint32Array.from({ length: n }, () => Math.floor(random() * GROUPS));
  const stdlib = async (name, use) => {
    const run = await tryImport(`@stdlib/${name}`);
    return [`@stdlib/${name}`, run && use(run)];
  };
  const arquero = await tryImport('arquero');
  const frame = arquero?.table({ key: keys, value: v });
  return [
    ['sum', ...(await stdlib('blas-ext-base-dsum', (dsum) => () => dsum(n, v, 1))), () => kernels.sum(v)],
    [
      'sum, pairwise',
      ...(await stdlib('blas-ext-base-dsumpw', (dsum) => () => dsum(n, v, 1))),
      () => kernels.sum(v),
    ],
    [
      'sum, compensated',
      ...(await stdlib('blas-ext-base-dsumkbn', (dsum) => () => dsum(n, v, 1))),
      () => kernels.sum(v, { compensated: true }),
    ],
    [
      'sum, compensated',
      'simple-statistics',
      () => simple.sum(v),
      () => kernels.sum(v, { compensated: true }),
    ],
    [
      'dot',
      ...(await stdlib('blas-base-ddot', (ddot) => () => ddot(n, v, 1, w, 1))),
      () => kernels.dot(v, w),
    ],
    [
      'axpy',
      ...(await stdlib('blas-base-daxpy', (daxpy) => () => daxpy(n, 1e-9, v, 1, out, 1))),
      () => kernels.axpy(-1e-9, v, out),
    ],
    ['variance', 'simple-statistics', () => simple.variance(v), () => kernels.variance(v)],
    ['min', 'simple-statistics', () => simple.min(v), () => kernels.min(v)],
    ['median', 'simple-statistics', () => simple.median(v), () => kernels.quantiles(v, [0.5])],
    [
      'median',
      'simple-statistics, medianSorted after sort()',
      () => {
        copy.set(v);
        return simple.medianSorted(copy.sort());
      },
      () => kernels.quantiles(v, [0.5]),
    ],
    [
      `group sums and counts, ${GROUPS} groups`,
      'arquero',
      frame &&
        (() =>
          frame.groupby('key').rollup({ sum: (d) => arquero.op.sum(d.value), n: () => arquero.op.count() })),
      () => kernels.groupSum(keys, v, GROUPS),
    ],
    [
      'order by f64',
      'arquero',
      frame && (() => frame.orderby('value').array('value', Float64Array)),
      () => kernels.gather(v, kernels.argsort(v)),
    ],
  ];
}

/** DuckDB answers by promise, so it is not in the pairs: medians of calls that take turns. */
async function duckdb(n) {
  const api = await tryImport('@duckdb/node-api');
  if (!api) return undefined;
  const connection = await (await api.DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(
    `create table t as select (hash(i) % ${GROUPS})::uinteger as key, (hash(i + 7) % 1000)::double as value from range(${n}) r(i)`,
  );
  const rows = await connection.runAndReadAll('select key, value from t');
  const [keyColumn, valueColumn] = rows.getColumns();
  const [keys, values] = [Uint32Array.from(keyColumn), Float64Array.from(valueColumn)];
  const prepared = await connection.prepare('select key, sum(value), count(*) from t group by key');
  const times = [[], []];
  for (let turn = 0; turn < (QUICK ? 15 : 60); turn += 1) {
    let start = performance.now();
    await (await prepared.run()).fetchAllChunks();
    times[0].push((performance.now() - start) * 1e3);
    start = performance.now();
    kernels.groupSum(keys, values, GROUPS);
    times[1].push((performance.now() - start) * 1e3);
  }
  const [one, two] = times.map(median);
  return `${one.toFixed(2)} | ${two.toFixed(2)} | ${(one / two).toFixed(2)}`;
}

export async function runPeers() {
  const rows = [];
  for (const n of QUICK ? [1e5] : [1e4, 1e5, 1e6]) {
    for (const [kernel, peer, theirs, ours] of await contests(n)) {
      rows.push(`${kernel} | ${peer} | ${n} | ${theirs ? show(pair(theirs, ours)) : 'not installed | | '}`);
    }
    const asked = await duckdb(n);
    rows.push(
      `group sums and counts, ${GROUPS} groups | DuckDB, one thread, prepared | ${n} | ${asked ?? 'not installed | | '}`,
    );
  }
  table('Beside other packages', ['kernel', 'peer', 'values', 'peer', 'kernel', 'faster'], rows);
}

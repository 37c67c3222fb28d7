// npm run bench [-- files…] [--filter text]: runs the cases, prints a table, keeps the run in data/bench/.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatBench } from '../dist/validation/bench-table.js';
import { runBench } from '../dist/validation/bench.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { filter: { type: 'string' }, out: { type: 'string', default: 'data/bench' } },
});

const folder = fileURLToPath(new URL('./cases/', import.meta.url));
const files =
  positionals.length > 0
    ? positionals
    : (await readdir(folder)).filter((name) => name.endsWith('.js')).sort();

const report = await runBench(positionals.length > 0 ? files : files.map((name) => join(folder, name)), {
  ...(values.filter !== undefined && { filter: values.filter }),
  onProgress: ({ fraction = 0, message }) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${Math.round(100 * fraction)} % ${message}`);
  },
});
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

const { host, node, loadAverage } = report.environment;
console.log(formatBench(report));
console.log(
  `\n${host.cpuModel}, ${host.logicalCpus} CPUs, Node ${node}, load ${loadAverage?.toFixed(1) ?? 'unknown'}`,
);

const path = join(values.out, `${report.createdAt.replaceAll(':', '-')}.json`);
await mkdir(values.out, { recursive: true });
await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
console.log(`Kept as ${relative(process.cwd(), path)}`);
if (report.results.some(({ error }) => error)) process.exitCode = 1;

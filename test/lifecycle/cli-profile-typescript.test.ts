import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, scratch } from '../fixtures/cli/run-cli.js';

/** tsx puts the whole file on one line, so that nothing but the source map tells these lines. */
const PROGRAM = `interface Order {
  readonly id: number;
  readonly items: readonly { sku: string; count: number }[];
}

const bodies: readonly string[] = Array.from({ length: 40 }, (_, id) =>
  JSON.stringify({ id, items: Array.from({ length: 400 }, (_, i) => ({ sku: \`s\${i}\`, count: i })) } satisfies Order),
);

// Sums what no table holds.
export function tally(rounds: number): number {
  let sum: number = 0;
  for (let i = 0; i < rounds; i += 1) {
    sum += Math.sqrt(i) % 7;
  }
  return sum;
}

class Orders {
  private readonly texts: readonly string[];
  constructor(texts: readonly string[]) {
    this.texts = texts;
  }
  parseAll(): number {
    let count = 0;
    for (const text of this.texts) {
      const order = JSON.parse(text) as Order;
      count += order.items.length;
    }
    return count;
  }
}

const orders = new Orders(bodies);
setInterval((): void => {
  tally(4e6);
  for (let i = 0; i < 8; i += 1) orders.parseAll();
}, 5);
`;

const lineOf = (text: string) => PROGRAM.slice(0, PROGRAM.indexOf(text)).split('\n').length;

describe('sysopt profile of TypeScript through a loader', () => {
  it.each([
    ['a module', 'app.mts'],
    ['CommonJS', 'app.cts'],
  ])(
    'names functions, lines of the source and what they do: %s under tsx',
    async (_kind, name) => {
      using folder = scratch();
      const app = join(folder.path, name);
      writeFileSync(app, PROGRAM);
      const { code, stderr, json } = await runCli([
        'profile',
        '--json',
        '--duration',
        '2',
        '--storage',
        join(folder.path, 'store'),
        '--',
        process.execPath,
        '--import',
        import.meta.resolve('tsx'),
        app,
      ]);
      expect(code, stderr).toBe(0);
      const place = (cause: string) =>
        json.analysis.findings.find((finding: any) => finding.cause === cause)?.location;
      expect(place('sync-cpu')).toMatchObject({ function: 'tally', file: app });
      expect(place('json-processing')).toMatchObject({ function: 'parseAll', file: app });
      expect(place('sync-cpu').line).toBe(lineOf('export function tally'));
      expect(place('json-processing').line).toBe(lineOf('parseAll(): number'));
      const ofProgram = json.functions.filter(({ location }: any) => location.file.startsWith(folder.path));
      expect(new Set(ofProgram.map(({ location }: any) => location.file))).toEqual(new Set([app]));
    },
    60_000,
  );

  it('runs a program that only a hook of require can load, and names its lines', async () => {
    using folder = scratch();
    const app = join(folder.path, 'app.ts');
    const hook = join(folder.path, 'hook.cjs');
    writeFileSync(app, PROGRAM);
    // What `-r ts-node/register` and `-r @swc-node/register` do.
    writeFileSync(
      hook,
      `const { transpileModule } = require(${JSON.stringify(createRequire(import.meta.url).resolve('typescript'))});
      const { readFileSync } = require('node:fs');
      const compilerOptions = { target: 'es2022', module: 'commonjs', inlineSourceMap: true };
      require('node:module')._extensions['.ts'] = (module, fileName) =>
        module._compile(transpileModule(readFileSync(fileName, 'utf8'), { compilerOptions, fileName }).outputText, fileName);`,
    );
    const options = ['--json', '--duration', '2', '--storage', join(folder.path, 'store')];
    const { code, stderr, json } = await runCli([
      'profile',
      ...options,
      '--',
      process.execPath,
      '-r',
      hook,
      app,
    ]);
    expect(code, stderr).toBe(0);
    for (const [cause, name, first, last] of [
      ['sync-cpu', 'tally', 'export function tally', 'return sum;'],
      ['json-processing', 'parseAll', 'parseAll(): number', 'return count;'],
    ] as const) {
      const { location } = json.analysis.findings.find((finding: any) => finding.cause === cause);
      expect(location).toMatchObject({ function: name, file: app });
      expect(location.line).toBeGreaterThanOrEqual(lineOf(first));
      expect(location.line).toBeLessThan(lineOf(last));
    }
  }, 60_000);
});

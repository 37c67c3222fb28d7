import { writeFileSync } from 'node:fs';
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
});

/**
 * Runs the code of the documentation: every `js` and `ts` block of the README and of docs/ is written to a folder
 * inside the package, so that `system-optimizer` resolves to what was just built, and run by Node in page order.
 * A block that begins with `// file: NAME` is written for later blocks to import and not run. `ts` blocks are
 * type-checked first. Blocks for other things (shell, JSON, output) use other fence languages.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const scratch = join(root, 'build-docs', String(process.pid));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Block {
  readonly language: 'js' | 'ts';
  readonly code: string;
  readonly line: number;
  /** Set for a block that only provides a module. */
  readonly file: string | undefined;
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```(js|ts)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] as 'js' | 'ts',
    code: match[2]!,
    line: text.slice(0, match.index).split('\n').length,
    file: /^\/\/ file: (\S+)/.exec(match[2]!)?.[1],
  }));
}

/** Type errors of a block, as compiled by a user of the package. */
function typeErrors(file: string): string[] {
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const pages = [
  join(root, 'README.md'),
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(root, 'docs', name)),
];

describe.each(pages.filter((page) => blocksOf(page).length > 0))('%s', (page) => {
  const folder = join(scratch, basename(page, '.md'));
  mkdirSync(folder, { recursive: true });

  it.each(blocksOf(page).map((block) => [block.line, block] as const))(
    'the code at line %i works',
    async (line, block) => {
      if (block.file) {
        writeFileSync(join(folder, block.file), block.code);
        return;
      }
      const name = join(folder, `line-${line}`);
      if (block.language === 'ts') {
        writeFileSync(`${name}.mts`, block.code);
        expect(typeErrors(`${name}.mts`)).toEqual([]);
      }
      const code =
        block.language === 'js'
          ? block.code
          : ts.transpileModule(block.code, {
              compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
            }).outputText;
      writeFileSync(`${name}.mjs`, code);
      const { stdout } = await run(process.execPath, [`${name}.mjs`], { cwd: folder, timeout: 120_000 });
      expect(typeof stdout).toBe('string'); // A non-zero exit rejects with what the block printed.
    },
    150_000,
  );
});

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Modules that code run by {@link runInChild} can name. */
export const loadUrl = new URL('../../dist/native/load.js', import.meta.url).href;
export const root = fileURLToPath(new URL('../..', import.meta.url));

const PRELUDE = `
  import { loadNative, nativeLoadError } from ${JSON.stringify(loadUrl)};
  import { readdirSync, readFileSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('\\n').length;
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const addressSpaceKb = () => Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  /** A worker that evaluates code with \`native\` and \`parentPort\`, and has said that it did. */
  const startWorker = async (code) => {
    const worker = new Worker(\`
      const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(loadUrl)}).then(async ({ loadNative }) => {
        const native = loadNative();
        \${code}
      });\`, { eval: true, execArgv: [] });
    await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    return worker;
  };
`;

export interface ChildResult {
  readonly status: number | null;
  readonly signal: string | null;
  readonly output: unknown;
  readonly stderr: string;
}

/**
 * Runs code (an ES module with `loadNative` and the names above) in a process of its own. Its last line of
 * standard output, as JSON, is `output`.
 */
export function runInChild(
  code: string,
  { flags = [], env = {} }: { flags?: string[]; env?: Record<string, string> } = {},
): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', PRELUDE + code], {
      cwd: root,
      env: { ...process.env, SYSOPT_NATIVE: 'addon', ...env },
      timeout: 50_000,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      const last = stdout.trim().split('\n').at(-1) ?? '';
      resolve({ status, signal, output: last === '' ? undefined : JSON.parse(last), stderr });
    });
  });
}

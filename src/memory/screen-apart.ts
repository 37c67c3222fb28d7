/** Runs `screening-child.js` and reads its answer. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { fail } from '../errors.js';
import type { Screened } from './screening.js';
import type { ScreeningAnswer, ScreeningRequest, ScreeningTrial } from './screening-child.js';

/** Loading and warming up take longer than the look itself. */
const GRACE_MS = 30_000;

/**
 * The items in ascending order of their time over the first one's.
 * @throws ABORTED; SUBJECT_DIED where the process ends without an answer; an Error with the reason where a trial throws.
 */
export async function screenApart<T>(
  candidates: readonly { readonly item: T; readonly trial: ScreeningTrial }[],
  budgetMs: number,
  signal: AbortSignal | undefined,
): Promise<Screened<T>[]> {
  throwIfAborted(signal);
  const script = fileURLToPath(new URL('./screening-child.js', import.meta.url));
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    timeout: budgetMs + GRACE_MS,
    killSignal: 'SIGKILL',
  });
  const stop = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, killedBy) => resolve(killedBy ?? `code ${code ?? 'unknown'}`));
  });
  const request: ScreeningRequest = { trials: candidates.map(({ trial }) => trial), budgetMs };
  child.stdin?.on('error', () => {}); // ended before it read; `exited` tells how
  child.stdin?.end(JSON.stringify(request));
  try {
    const [reply, output, how] = await Promise.all([
      text(child.stdio[3] as Readable),
      text(child.stderr as Readable),
      exited,
    ]);
    throwIfAborted(signal);
    if (reply === '') {
      throw fail('SUBJECT_DIED', { subject: 'the candidates', how, output: output.slice(-400) || 'none' });
    }
    const answer = JSON.parse(reply) as ScreeningAnswer;
    if ('error' in answer) throw new Error(answer.error);
    return candidates
      .map(({ item }, index) => ({ item, ratio: answer.ratios[index] as number }))
      .sort((a, b) => a.ratio - b.ratio);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw fail('ABORTED', { what: 'Screening' }, { cause: signal.reason });
}

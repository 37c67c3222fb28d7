import { createInterface } from 'node:readline/promises';
import type { Session } from './session.js';

/**
 * Asks before something is put in force. Only people are asked: without a terminal on standard input, and with
 * `--yes`, the answer is yes.
 */
export async function confirm(
  question: string,
  yes: boolean,
  { terminal, signal }: Session,
): Promise<boolean> {
  if (yes || terminal.json || process.stdin.isTTY !== true || process.stderr.isTTY !== true) return true;
  terminal.done();
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // In its raw mode the prompt receives Ctrl-C itself; it goes the way that it goes without a prompt.
  prompt.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await prompt.question(`${question} [y/N] `, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}

/** The guard's process (see inspector-guard.ts): waits for the end of its standard input, then closes what is open. */
import type { GuardedInspector, GuardMessage } from './inspector-guard.js';

const PATIENCE_MS = 60_000;

let text = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk: string) => (text += chunk));
process.stdin.on('close', () => {
  const messages = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as GuardMessage);
  if (!messages.includes('signalled') || messages.includes('dismissed')) return;
  const guarded = JSON.parse(process.argv[2]!) as GuardedInspector;
  const opened = messages.flatMap((message) => (typeof message === 'object' ? [message.opened] : []))[0];
  // Loaded now: a guard that is not needed sleeps in little memory.
  void import('./inspector-access.js').then(({ closeOpened }) => closeOpened(guarded, opened, PATIENCE_MS));
});

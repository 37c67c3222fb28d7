/**
 * Mutual exclusion of processes by a file that only one can create. Needed where a file is read, changed and
 * written back (config.json); documents have names of their own and need none.
 */
import fs from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './atomic-file.js';
import { writeError } from './storage-error.js';
import { makeFolder } from './make-folder.js';

/** What is done under the lock takes milliseconds; a lock this old was left by a writer that died elsewhere. */
const STALE_MS = 10_000;
const GIVE_UP_MS = 15_000;

/** @throws STORAGE_NOT_WRITABLE where the lock cannot be created or is not given up within 15 s. */
export async function withFileLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + GIVE_UP_MS;
  const token = JSON.stringify({ pid: process.pid, host: hostname(), id: crypto.randomUUID() });
  for (;;) {
    try {
      await makeFolder(dirname(path));
      await fs.writeFile(path, token, { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || (await isDirectoryMissing(path))) {
        throw writeError(path, error);
      }
    }
    await breakStaleLock(path);
    if (Date.now() > deadline) {
      throw writeError(path, new Error('another process holds this lock; remove it if there is none'));
    }
    await sleep(2 + Math.random() * 8);
  }
  try {
    return await action();
  } finally {
    const present = await fs.readFile(path, 'utf8').catch(() => '');
    if (present === token) await fs.rm(path, { force: true });
  }
}

/** EEXIST comes from mkdir too, where the folder's place is taken by a file. */
async function isDirectoryMissing(path: string): Promise<boolean> {
  const stat = await fs.stat(dirname(path)).catch(() => null);
  return !stat?.isDirectory();
}

async function breakStaleLock(path: string): Promise<void> {
  try {
    const content = await fs.readFile(path, 'utf8');
    const ageMs = Date.now() - (await fs.stat(path)).mtimeMs;
    if (ageMs < STALE_MS && !holderDied(content, ageMs)) return;
    // Several may find it stale: only one can rename it, and what was renamed is checked, because by then it
    // may be the lock of a writer that was quicker. That one gets it back.
    const aside = `${path}.${crypto.randomUUID()}`;
    await fs.rename(path, aside);
    if ((await fs.readFile(aside, 'utf8')) !== content) await fs.link(aside, path).catch(() => {});
    await fs.rm(aside, { force: true });
  } catch {
    // It was given up meanwhile.
  }
}

function holderDied(content: string, ageMs: number): boolean {
  try {
    const { pid, host } = JSON.parse(content) as { pid: number; host: string };
    return host === hostname() && !isAlive(pid);
  } catch {
    // Created and not yet written, unless it has been so for a while.
    return ageMs > 1_000;
  }
}

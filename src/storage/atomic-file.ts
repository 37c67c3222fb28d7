/**
 * Files that are written whole or not at all: temp file in the same folder → fsync → rename → fsync of the folder
 * (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014). After a crash a reader finds the old
 * content or the new one. The rejected alternative, writing in place, shows readers halves of both.
 */
import fs from 'node:fs/promises';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { writeError } from './storage-error.js';
import { makeFolder, makeFolderSync } from './make-folder.js';

/** Age from which a temp file of another host or of a reused pid counts as abandoned. */
const ABANDONED_MS = 60 * 60 * 1000;
/** Younger ones are left alone even if their writer looks dead: in another pid namespace it may live. */
const FRESH_MS = 5_000;

const TEMP = /^\..+\.([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/;

export interface AtomicWriteOptions {
  /** False for content that can be rebuilt: after a power failure it may be empty, never half. True by default. */
  readonly durable?: boolean;
}

/**
 * Replaces a file's content atomically; makes its folder where it is missing.
 *
 * @throws STORAGE_NOT_WRITABLE, STORAGE_NOT_A_DIRECTORY. The old content is unchanged then.
 */
export async function writeAtomic(
  path: string,
  content: string,
  { durable = true }: AtomicWriteOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const temp = tempOf(path);
  try {
    await makeFolder(folder);
    const file = await fs.open(temp, 'wx', 0o644);
    try {
      await file.writeFile(content, 'utf8');
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temp, path);
  } catch (error) {
    await fs.rm(temp, { force: true }).catch(() => {});
    throw writeError(path, error);
  }
  if (durable) await syncFolder(folder);
}

/**
 * As `writeAtomic` without waiting for the disk, for a process that exits: after a power failure the file may be empty.
 *
 * @throws STORAGE_NOT_WRITABLE, STORAGE_NOT_A_DIRECTORY.
 */
export function writeAtomicSync(path: string, content: string): void {
  const temp = tempOf(path);
  try {
    makeFolderSync(dirname(path));
    writeFileSync(temp, content, { flag: 'wx', mode: 0o644 });
    renameSync(temp, path);
  } catch (error) {
    rmSync(temp, { force: true });
    throw writeError(path, error);
  }
}

function tempOf(path: string): string {
  const name = `.${basename(path)}.${hostTag()}-${process.pid}-${crypto.randomUUID().slice(-12)}.tmp`;
  return join(dirname(path), name);
}

/** Makes a rename durable. Windows cannot open folders, and some network file systems refuse the sync. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // The file itself is synced; only the moment at which its name becomes durable is left to the system.
  }
}

/** Tells hosts that share a folder apart, for the name of a file: FNV-1a of the host's name. */
function hostTag(): string {
  let hash = 0x811c9dc5;
  for (const character of hostname()) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** Removes temp files whose writers died. Returns how many. Failing to remove one harms nothing. */
export async function removeAbandonedTemps(folder: string): Promise<number> {
  const names = await fs.readdir(folder).catch(() => [] as string[]);
  let removed = 0;
  for (const name of names) {
    const match = TEMP.exec(name);
    if (!match) continue;
    const [, tag, pid] = match;
    try {
      const ageMs = Date.now() - (await fs.stat(join(folder, name))).mtimeMs;
      const writerDied = tag === hostTag() && !isAlive(Number(pid)) && ageMs > FRESH_MS;
      if (!writerDied && ageMs < ABANDONED_MS) continue;
      await fs.rm(join(folder, name));
      removed += 1;
    } catch {
      // Its writer renamed or removed it meanwhile.
    }
  }
  return removed;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

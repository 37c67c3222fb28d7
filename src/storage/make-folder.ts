import { mkdirSync, statSync } from 'node:fs';
import fs from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it. Node's own recursive mkdir never returns where a file system takes no folder
 * and says that the path does not exist, as /proc does (Node 20).
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await fs.mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path) {
      await makeFolder(dirname(path));
      await fs.mkdir(path).catch(unlessFolder(path));
    } else {
      await unlessFolder(path)(error);
    }
  }
}

/** Somebody else may have made it: then all is well. */
function unlessFolder(path: string) {
  return async (error: unknown): Promise<void> => {
    const stat = await fs.stat(path).catch(() => null);
    if (!stat?.isDirectory()) throw error;
  };
}

/** As `makeFolder`, for a process that exits. */
export function makeFolderSync(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path) {
      makeFolderSync(dirname(path));
      makeFolderSync(path);
    } else if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      throw error;
    }
  }
}

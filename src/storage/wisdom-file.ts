/**
 * `wisdom.json`: what computations in this store chose, in the form that can be taken along to services without a store. What
 * an entry means is not known here; it is read, changed and written back against other processes that do the same.
 */
import fs from 'node:fs/promises';
import { writeAtomic } from './atomic-file.js';
import { withFileLock } from './file-lock.js';
import type { Layout } from './layout.js';
import { corrupt } from './storage-error.js';

/**
 * Replaces the file by what `change` makes of it.
 *
 * @param change gets what is stored, undefined where nothing is.
 * @throws STORAGE_NOT_WRITABLE; DOCUMENT_CORRUPT where the present file is no JSON: it is not overwritten; what `change`
 *   throws.
 */
export async function changeWisdom(layout: Layout, change: (earlier: unknown) => object): Promise<void> {
  await withFileLock(`${layout.wisdom}.lock`, async () => {
    const next = change(await readWisdom(layout));
    await writeAtomic(layout.wisdom, `${JSON.stringify(next)}\n`);
  });
}

async function readWisdom({ wisdom }: Layout): Promise<unknown> {
  let text: string;
  try {
    text = await fs.readFile(wisdom, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw corrupt(wisdom, error);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw corrupt(wisdom, error);
  }
}

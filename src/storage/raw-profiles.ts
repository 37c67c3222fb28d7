/**
 * V8's own profiles behind results, as other tools read them: few, and bounded in size together, because each is
 * hundreds of kilobytes and most are never looked at.
 */
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { RAW_PROFILE_LIMITS, type Retention } from '../settings/optimizer.js';
import { writeAtomic } from './atomic-file.js';
import { RAW_FORMATS, type Layout, type RawFormat } from './layout.js';

/**
 * Writes one and removes the oldest that are too many.
 *
 * @returns false where it alone is larger than all may be together: it is not kept.
 */
export async function writeRawProfile(
  layout: Layout,
  resultId: string,
  format: RawFormat,
  profile: unknown,
  {
    maxRawProfiles = RAW_PROFILE_LIMITS.maxRawProfiles,
    maxRawBytes = RAW_PROFILE_LIMITS.maxRawBytes,
  }: Retention,
): Promise<boolean> {
  const text = JSON.stringify(profile);
  if (maxRawProfiles === 0 || Buffer.byteLength(text) > maxRawBytes) return false;
  // Not synced: what a power failure takes is no document.
  await writeAtomic(layout.raw(resultId, format), text, { durable: false });
  await prune(layout, maxRawProfiles, maxRawBytes);
  return true;
}

/** The text of one; undefined where none is kept. */
export async function readRawProfile(
  layout: Layout,
  resultId: string,
  format: RawFormat,
): Promise<string | undefined> {
  return fs.readFile(layout.raw(resultId, format), 'utf8').catch(() => undefined);
}

async function prune(layout: Layout, maxCount: number, maxBytes: number): Promise<void> {
  const folder = layout.folder('raw');
  const names = await fs.readdir(folder);
  const files = await Promise.all(
    names
      .filter((name) => RAW_FORMATS.some((format) => name.endsWith(`.${format}`)))
      .map(async (name) => {
        const path = join(folder, name);
        // Another process may have removed it meanwhile.
        const stat = await fs.stat(path).catch(() => undefined);
        return { path, atMs: stat?.mtimeMs ?? 0, sizeBytes: stat?.size ?? 0 };
      }),
  );
  files.sort((a, b) => b.atMs - a.atMs || (a.path < b.path ? 1 : -1));
  let bytes = 0;
  const tooMany = files.filter(({ sizeBytes }, rank) => {
    bytes += sizeBytes;
    return rank >= maxCount || bytes > maxBytes;
  });
  await Promise.all(tooMany.map(({ path }) => fs.rm(path, { force: true })));
}

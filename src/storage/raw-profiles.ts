/**
 * V8's own profiles behind results, as other tools read them: few, and bounded in size together, because each is
 * hundreds of kilobytes and most are never looked at.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { RAW_PROFILE_LIMITS, type Retention } from '../settings/optimizer.js';
import { writeAtomic, writeAtomicSync } from './atomic-file.js';
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
  retention: Retention,
): Promise<boolean> {
  const text = textOf(profile, retention);
  if (text === undefined) return false;
  // Not synced: what a power failure takes is no document.
  await writeAtomic(layout.raw(resultId, format), text, { durable: false });
  const names = await fs.readdir(layout.folder('raw'));
  const files = await Promise.all(
    pathsOf(layout, names).map(async (path) => {
      // Another process may have removed it meanwhile.
      const stat = await fs.stat(path).catch(() => undefined);
      return { path, atMs: stat?.mtimeMs ?? 0, sizeBytes: stat?.size ?? 0 };
    }),
  );
  await Promise.all(tooMany(files, retention).map(({ path }) => fs.rm(path, { force: true })));
  return true;
}

/** As `writeRawProfile` without waiting, for a process that exits. */
export function writeRawProfileSync(
  layout: Layout,
  resultId: string,
  format: RawFormat,
  profile: unknown,
  retention: Retention,
): boolean {
  const text = textOf(profile, retention);
  if (text === undefined) return false;
  writeAtomicSync(layout.raw(resultId, format), text);
  const files = pathsOf(layout, readdirSync(layout.folder('raw'))).map((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return { path, atMs: stat?.mtimeMs ?? 0, sizeBytes: stat?.size ?? 0 };
  });
  for (const { path } of tooMany(files, retention)) rmSync(path, { force: true });
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

interface RawFile {
  readonly path: string;
  readonly atMs: number;
  readonly sizeBytes: number;
}

/** Undefined for what is not to be kept. */
function textOf(profile: unknown, retention: Retention): string | undefined {
  const { maxRawProfiles, maxRawBytes } = limitsOf(retention);
  const text = JSON.stringify(profile);
  return maxRawProfiles === 0 || Buffer.byteLength(text) > maxRawBytes ? undefined : text;
}

function pathsOf(layout: Layout, names: readonly string[]): string[] {
  return names
    .filter((name) => RAW_FORMATS.some((format) => name.endsWith(`.${format}`)))
    .map((name) => join(layout.folder('raw'), name));
}

/** The oldest that are beyond the number or the size. */
function tooMany(files: readonly RawFile[], retention: Retention): RawFile[] {
  const { maxRawProfiles, maxRawBytes } = limitsOf(retention);
  let bytes = 0;
  return files
    .toSorted((a, b) => b.atMs - a.atMs || (a.path < b.path ? 1 : -1))
    .filter(({ sizeBytes }, rank) => {
      bytes += sizeBytes;
      return rank >= maxRawProfiles || bytes > maxRawBytes;
    });
}

function limitsOf({
  maxRawProfiles = RAW_PROFILE_LIMITS.maxRawProfiles,
  maxRawBytes = RAW_PROFILE_LIMITS.maxRawBytes,
}: Retention) {
  return { maxRawProfiles, maxRawBytes };
}

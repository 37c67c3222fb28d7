import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A page of the guide as it lies on this disk: `docs/guide-causes.md#heap-leak` of the package that runs. */
export function guideOnDisk(guide: string, cwd = process.cwd()): string {
  const path = join(packageRoot(), guide);
  const fromHere = relative(cwd, path);
  return fromHere.length < path.length ? fromHere : path;
}

function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

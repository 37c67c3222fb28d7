/** A store of its own for each test, with optimizers on it that are closed behind it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { SystemOptimizer } from '../../../dist/index.js';

export interface OwnStore {
  /** The store's folder; it does not exist before something is stored. */
  readonly path: string;
  /** Opens the store; as often as a test wants other processes to have opened it. */
  readonly optimizer: () => SystemOptimizer;
}

/** Registers the hooks of the calling test file. */
export function ownStore(): OwnStore {
  let folder = '';
  const open: SystemOptimizer[] = [];
  const store = {
    get path() {
      return join(folder, 'store');
    },
    optimizer: () => {
      const one = new SystemOptimizer({ storagePath: store.path });
      open.push(one);
      return one;
    },
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sysopt-facade-'));
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return store;
}

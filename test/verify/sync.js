// npm run verify:sync [-- --deeper 1]: the model check of the primitives with more preemptions than the unit tests run, and
// the tests with real workers beside it.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { deeper: { type: 'string', default: '1' } } });
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    'test/unit/threads/sync',
    '--testTimeout',
    '3600000',
    '--disableConsoleIntercept',
  ],
  { stdio: 'inherit', env: { ...process.env, SYNC_MORE_PREEMPTIONS: values.deeper } },
);
process.exitCode = status ?? 1;

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { serveUnderLoad } from '../load.js';

const burn = 'const end = Date.now() + 60_000; while (Date.now() < end);';
const burners = Array.from({ length: availableParallelism() * 3 }, () =>
  spawn(process.execPath, ['-e', burn], { stdio: 'ignore', env: {} }),
);
for (const event of ['SIGTERM', 'SIGINT']) process.once(event, () => process.exit());
process.on('exit', () => burners.forEach((burner) => burner.kill('SIGKILL')));

serveUnderLoad((_request, response) => response.end(JSON.stringify({ ok: true })), { ratePerSecond: 1500 });

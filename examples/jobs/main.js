// The same calls in threads, and through a queue once an environment variable says where it is:
//   node examples/jobs/main.js
//   npx sysopt worker --queue primes --connection redis://127.0.0.1:6379      (in other terminals, on other machines)
//   SYSOPT_QUEUE_CONNECTION=redis://127.0.0.1:6379 node examples/jobs/main.js
import { LocalExecutor } from '../../dist/index.js';
import { primes } from './primes.js';

async function openExecutor(connection) {
  if (connection === undefined) return new LocalExecutor();
  // Loaded where it is used: a service in threads needs neither bullmq nor a driver.
  const { BullMQExecutor } = await import('../../dist/integration/bullmq/index.js');
  return new BullMQExecutor({ queue: 'primes', connection });
}

const executor = await openExecutor(process.env.SYSOPT_QUEUE_CONNECTION);
try {
  const limits = [10, 1_000, 100_000];
  const counts = await Promise.all(
    limits.map((limit) => executor.run(primes, limit, { attempts: 3, deadlineMs: 60_000 })),
  );
  console.log(limits.map((limit, i) => `${counts[i]} primes below ${limit}`).join('\n'));
} finally {
  await executor.close();
}

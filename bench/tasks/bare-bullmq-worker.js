// The consumer that bench/executor.js sets beside ours: bullmq's own Worker, whose processor runs on the event loop.
// Arguments: the queue, the path of the server's socket, jobs at once.
import { Worker } from 'bullmq';

const [queue, path, concurrency] = process.argv.slice(2);
const worker = new Worker(queue, async ({ data }) => data, {
  connection: { path, maxRetriesPerRequest: null },
  concurrency: Number(concurrency),
});
await worker.waitUntilReady();
process.stdout.write('Taking jobs\n');

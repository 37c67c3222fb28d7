/** A failed job of BullMQ as the dead letter that executors show. */
import type { Job } from 'bullmq';
import type { DeadLetter } from '../../threads/executor.js';
import { errorOf, jobDataOf, taskText } from './job-format.js';
import type { PayloadCodec } from './payload.js';

export async function deadLetterOf(job: Job, codec: PayloadCodec): Promise<DeadLetter> {
  const { task, args, key } = jobDataOf(job.data);
  return {
    id: job.id!,
    task,
    // What was kept for too short a time is left out rather than the letter.
    args: await codec.decode(args, { what: 'Arguments', task: taskText(task) }).catch(() => undefined),
    attempts: job.attemptsMade,
    error: errorOf(job.failedReason, task, ''),
    failedAt: new Date(job.finishedOn ?? job.timestamp).toISOString(),
    ...(key !== undefined && { idempotencyKey: key }),
  };
}

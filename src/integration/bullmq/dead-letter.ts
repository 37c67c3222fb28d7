/** A failed job of BullMQ as the dead letter that executors show. */
import type { Job } from 'bullmq';
import type { DeadLetter } from '../../threads/executor.js';
import { errorOf, isOurs, taskText } from './job-format.js';
import type { PayloadCodec } from './payload.js';

export async function deadLetterOf(job: Job, codec: PayloadCodec): Promise<DeadLetter> {
  const data: unknown = job.data;
  // What others put into the queue has failed too, and must not hide the rest.
  const task = isOurs(data) ? data.task : { module: '', export: job.name };
  const args = isOurs(data)
    ? // What was kept for too short a time is left out rather than the letter.
      await codec.decode(data.args, { what: 'Arguments', task: taskText(task) }).catch(() => undefined)
    : data;
  const key = isOurs(data) ? data.key : undefined;
  return {
    id: job.id!,
    task,
    args,
    attempts: job.attemptsMade,
    error: errorOf(job.failedReason, task, ''),
    failedAt: new Date(job.finishedOn ?? job.timestamp).toISOString(),
    ...(key !== undefined && { idempotencyKey: key }),
  };
}

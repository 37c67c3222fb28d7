/** `system-optimizer/bullmq`: tasks through a BullMQ queue. Importing it loads neither bullmq nor a driver. */
export { BullMQExecutor, type BullMQExecutorEvents, type BullMQExecutorOptions } from './bullmq-executor.js';
export { BullMQConsumer } from './bullmq-consumer.js';
export type {
  BullMQConsumerEvents,
  BullMQConsumerOptions,
  BullMQConsumerStats,
  JobReport,
} from './consumer-options.js';
export type { QueueOptions } from './bullmq-options.js';
export type { QueueConnection } from './connection.js';

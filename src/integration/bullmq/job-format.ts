/** What a job of ours looks like in BullMQ: its data, its ids, and how an error fits into the one text that it has. */
import { createHash, randomUUID } from 'node:crypto';
import { fail } from '../../errors.js';
import { packError, unpackError, type WireError } from '../../threads/error-transfer.js';
import { decodeInline, encodeInline, type Inline, type Payload } from './payload.js';
import type { TaskAddress } from './task-address.js';

export interface JobData {
  /** Version of this format. */
  readonly v: 1;
  readonly task: TaskAddress;
  readonly args: Payload;
  readonly backoffMs: number;
  /** Time to its result, from `againAt` on, or else from the job's timestamp. */
  readonly deadlineMs?: number;
  /** When it was last run again as a dead letter, as `Date.now()`. */
  readonly againAt?: number;
  readonly key?: string;
}

/** BullMQ's name for our pauses between attempts. */
export const BACKOFF = 'system-optimizer';
/** A job's progress once nobody wants it any more. */
export const CANCELLED = 'cancelled';

export function taskText({ module, export: name }: TaskAddress): string {
  return `task "${name}" (${module})`;
}

/** Unique, or the same for equal keys of a task. BullMQ allows no `:` and no plain number. */
export function jobIdOf({ module, export: name }: TaskAddress, key: string | undefined): string {
  if (key === undefined) return `job-${randomUUID()}`;
  return `key-${createHash('sha256')
    .update(JSON.stringify([module, name, key]))
    .digest('base64url')}`;
}

/** Whether this version wrote it: others may put jobs into the same queue. */
export function isOurs(data: unknown): data is JobData {
  const { v, task, args } = (data ?? {}) as Partial<JobData>;
  return (
    v === 1 &&
    typeof task?.module === 'string' &&
    typeof task.export === 'string' &&
    typeof args === 'object' &&
    (args as unknown) !== null
  );
}

/** @throws TASK_REFUSED for what this version did not write. */
export function jobDataOf(data: unknown): JobData {
  if (isOurs(data)) return data;
  throw fail('TASK_REFUSED', {
    task: 'a job',
    reason: 'it was not written by this version of system-optimizer.',
    remedy: 'Keep other jobs in another queue, and update consumers before producers.',
  });
}

/** Between the line for people and the error for the caller. */
const MARK = '\n--- system-optimizer error: ';
/** A failed job keeps its text; what is longer loses its properties, then its stack's tail. */
const MAX_ERROR_CHARACTERS = 16_384;

/**
 * An error as the text that BullMQ keeps and sends as `failedReason`: first its name and message, as dashboards show
 * it, then the error whole. One text, so it is written in the same step that fails the job.
 */
export function errorText(error: unknown, host: string): string {
  const wire = withoutDispatch(packError(error));
  const summary =
    wire.kind === 'error' ? `${wire.classes[0] ?? 'Error'}: ${wire.message}` : String(wire.value);
  let text: string;
  try {
    text = encodeError(wire, host);
  } catch {
    // Threads share memory and handles, which no queue carries.
    text = encodeError(shortened(wire), host);
  }
  if (text.length > MAX_ERROR_CHARACTERS) text = encodeError(shortened(wire), host);
  return `${summary.slice(0, 1_000)}${MARK}${text}`;
}

/** Above the frame of the pool's thread lies the consumer's own machinery, the same in every error. */
function withoutDispatch(wire: WireError): WireError {
  if (wire.kind === 'value') return wire;
  const thread = /\n {4}at <thread [^\n]*>/.exec(wire.stack);
  if (thread === null) return wire;
  return { ...wire, stack: wire.stack.slice(0, thread.index + thread[0].length) };
}

function encodeError(error: WireError, host: string): string {
  return JSON.stringify({ host, error: encodeInline(error) });
}

/** Class, message, the stack's head, code, and the same of one cause. */
function shortened(error: WireError, depth = 0): WireError {
  if (error.kind === 'value') return { kind: 'value', value: String(error.value).slice(0, 1_000) };
  const { classes, message, stack, cause, properties } = error;
  const { code, name } = properties;
  return {
    kind: 'error',
    classes,
    message: message.slice(0, 2_000),
    stack: stack.slice(0, 4_000),
    properties: {
      ...(typeof code === 'string' && { code: code.slice(0, 100) }),
      ...(typeof name === 'string' && { name: name.slice(0, 100) }),
    },
    ...(cause !== undefined && depth === 0 && { cause: shortened(cause, 1) }),
  };
}

/** The error behind a `failedReason`; BullMQ's own reasons become ours. */
export function errorOf(failedReason: string, address: TaskAddress, callerStack: string): unknown {
  const at = failedReason.indexOf(MARK);
  if (at < 0) {
    return fail('JOB_GIVEN_UP', { task: taskText(address), reason: failedReason });
  }
  try {
    const text = failedReason.slice(at + MARK.length);
    const { host, error } = JSON.parse(text) as { host: string; error: Inline };
    return unpackError(decodeInline(error) as WireError, host, callerStack);
  } catch (cause) {
    // Not written by this version.
    return fail('JOB_GIVEN_UP', { task: taskText(address), reason: failedReason.slice(0, at) }, { cause });
  }
}

/**
 * Tells listeners of what happened, in the midst of what they must not disturb: what one of them throws is thrown where nothing
 * of ours is under way, as `diagnostics_channel` does with its subscribers' errors.
 */
import type { EventEmitter } from 'node:events';

export function tell<Events extends Record<keyof Events, unknown[]>, E extends keyof Events & string>(
  emitter: EventEmitter<Events>,
  event: E,
  ...args: Events[E]
): void {
  try {
    (emitter as EventEmitter).emit(event, ...args);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

export const TRIGGER_KINDS = ['loop-delay', 'utilization', 'heap-growth', 'blocked-loop'] as const;
export type TriggerKind = (typeof TRIGGER_KINDS)[number];

/** What made the monitor take a profile by itself. */
export interface Trigger {
  readonly kind: TriggerKind;
  /** What was seen, in `unit`. */
  readonly value: number;
  /** The limit that it passed. */
  readonly limit: number;
  readonly unit: 'ms' | 'share' | 'bytes/min';
  /** For people. */
  readonly statement: string;
}

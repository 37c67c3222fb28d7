import type { Metrics } from '../model/metric.js';

/** Metrics that have no value for one and the same reason. */
export interface MissingMetrics {
  readonly names: readonly string[];
  readonly reason: string;
  readonly message: string;
}

/** What was not measured, grouped by why. */
export function missingMetrics(metrics: Metrics): MissingMetrics[] {
  const groups = new Map<string, { names: string[]; reason: string; message: string }>();
  for (const [name, metric] of Object.entries(metrics)) {
    if (metric.available) continue;
    const { reason, message } = metric;
    const group = groups.get(`${reason} ${message}`) ?? { names: [], reason, message };
    group.names.push(name);
    groups.set(`${reason} ${message}`, group);
  }
  return [...groups.values()];
}

const NAMED = 3;

/** `heap.floor.growth: Only 2 full collections fell into the window.` */
export function missingInWords({ names, message }: MissingMetrics): string {
  const more = names.length - NAMED;
  const named = names.slice(0, more === 1 ? names.length : NAMED).join(', ');
  return `${named}${more > 1 ? ` and ${more} more` : ''}: ${message}`;
}

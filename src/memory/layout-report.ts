/** A layout plan as text for a terminal: offsets, holes, lines, what moved and what it saves. */
import { formatShare } from '../units.js';
import type { LayoutPlan } from './layout-planner.js';

/**
 * @example
 * console.log(layoutReport(planLayout(fields), 'Order'));
 * // Order: 16 B (24 B as declared, 33.3 % saved)
 * //   line  offset   size  field
 * //      0       0      8  price
 * //      …
 */
export function layoutReport(plan: LayoutPlan, name = 'record'): string {
  const { savings, declared } = plan;
  const change =
    savings.sizeBytes > 0
      ? `${declared.sizeBytes} B as declared, ${formatShare(savings.share)} saved`
      : savings.sizeBytes < 0
        ? `${declared.sizeBytes} B as declared, ${-savings.sizeBytes} B of padding added`
        : 'as declared';
  const moved = new Set(plan.moved);
  const hot = new Set(plan.hot);
  const lines = [`${name}: ${plan.sizeBytes} B (${change})`, '  line  offset   size  field'];
  const row = (offset: number, size: number, what: string) =>
    lines.push(
      `${String(Math.floor(offset / plan.cacheLineBytes)).padStart(6)}${String(offset).padStart(8)}${String(size).padStart(7)}  ${what}`,
    );
  let end = 0;
  for (const field of plan.fields) {
    if (field.offsetBytes > end) row(end, field.offsetBytes - end, '(hole)');
    const notes = [moved.has(field.name) ? 'moved' : '', hot.has(field.name) ? 'hot' : ''].filter(Boolean);
    row(
      field.offsetBytes,
      field.sizeBytes,
      notes.length === 0 ? field.name : `${field.name}  ← ${notes.join(', ')}`,
    );
    end = field.offsetBytes + field.sizeBytes;
  }
  if (plan.sizeBytes > end) row(end, plan.sizeBytes - end, '(end)');
  lines.push(
    `  padding ${plan.paddingBytes} B (${declared.paddingBytes} B as declared) · ` +
      `${plan.moves} ${plan.moves === 1 ? 'field' : 'fields'} moved · packing ${plan.packing}, line ${plan.cacheLineBytes} B`,
  );
  if (plan.hotLines !== null && plan.meanHotLines !== null) {
    lines.push(
      `  hot fields on ${plan.hotLines} ${plan.hotLines === 1 ? 'line' : 'lines'} ` +
        `(${Number(plan.meanHotLines.toFixed(2))} on average over an array)`,
    );
  }
  if (plan.straddlingFields.length > 0) lines.push(`  across two lines: ${plan.straddlingFields.join(', ')}`);
  if (plan.sharedWriterLines > 0) {
    lines.push(`  lines that different writers share: ${plan.sharedWriterLines}`);
  }
  return lines.join('\n');
}

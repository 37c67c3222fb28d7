/** Formatting of figures for people. Machine-readable output never passes through here. */

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1536` → `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < BINARY.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${formatNumber(value)} ${BINARY[unit]!}`;
}

/** Nanoseconds in the unit that keeps one to three digits before the point: `1500` → `1.5 µs`. */
export function formatDurationNs(ns: number): string {
  const magnitude = Math.abs(ns);
  if (magnitude < 1e3) return `${formatNumber(ns)} ns`;
  if (magnitude < 1e6) return `${formatNumber(ns / 1e3)} µs`;
  if (magnitude < 1e9) return `${formatNumber(ns / 1e6)} ms`;
  return `${formatNumber(ns / 1e9)} s`;
}

export function formatDurationMs(ms: number): string {
  return formatDurationNs(ms * 1e6);
}

/** Three significant digits, without exponent and trailing zeros for everyday magnitudes. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** Share of 0 to 1 as a percentage: `0.1234` → `12.3 %`. */
export function formatShare(share: number): string {
  return `${formatNumber(share * 100)} %`;
}

/** Cost ratio (below 1 is better) as the speed-up that tables for people show: `0.5` → `2×`. */
export function formatSpeedup(ratio: number): string {
  return `${formatNumber(1 / ratio)}×`;
}

/** Numbers as people read them on a terminal. */

/** `12,345`. */
export function formatCount(value: number): string {
  // loading Intl for it would take 20 ms at the first line, and 80 us at each
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Four significant digits, as a plain decimal where that is short: `312.4`, `0.0043`, `-1203`, `1.2e-7`. */
export function formatValue(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(2);
  if (size >= 1000) return value.toFixed(0);
  return String(Number(value.toPrecision(4)));
}

/** `0:07`, `12:34`, `3:02:09`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `, mean within 470 to 490 (95%)`; nothing without an interval. */
export function formatInterval(interval: readonly [number, number] | null): string {
  return interval === null
    ? ''
    : `, mean within ${formatValue(interval[0])} to ${formatValue(interval[1])} (95%)`;
}

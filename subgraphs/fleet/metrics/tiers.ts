const minute = 60_000;
export const hourMs = 60 * minute;
export const dayMs = 24 * hourMs;

/** How long each tier of metrics is kept, at least. */
export const keptMs = { raw: 2 * dayMs, hourly: 40 * dayMs, daily: 400 * dayMs };

/** A sample older than this is not taken: its hour's other samples have to be there still when the hour is remade. */
export const lateLimitMs = dayMs;
/** How far a sample may be ahead of the panel's clock after its node's skew was taken out. */
export const aheadLimitMs = minute;

/**
 * An hour is rolled up this long after its end. By then no transaction is under way that took it for the current one:
 * ingest bounds each of its transactions well below.
 */
export const rollupGraceMs = 5 * minute;

/** Two samples further apart than this are the two sides of a gap: no network rate is told over it. */
export function rateReachMs(heartbeatSeconds: number): number {
  return Math.max(10 * minute, 3 * heartbeatSeconds * 1000);
}

export function hourOf(time: Date): number {
  return Math.floor(time.getTime() / hourMs) * hourMs;
}

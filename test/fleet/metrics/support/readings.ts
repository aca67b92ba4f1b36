import fc from 'fast-check';

const hour = 60 * 60_000;
// 20:00, so that four hours of samples reach into the next day.
export const start = Date.parse('2026-03-10T20:00:00Z');

export interface Reading {
  at: number;
  cpu: number;
  rx: number;
  tx: number;
}

export interface Bucket {
  samples: number;
  cpu_sum: number;
  cpu_min: number;
  cpu_max: number;
  net_count: number;
  net_sum: number | null;
  net_min: number | null;
  net_max: number | null;
}

/** Sums of floats depend a little on their order. */
export function rounded(bucket: Bucket): Bucket {
  return Object.fromEntries(
    Object.entries(bucket).map(([name, value]) => [
      name,
      value === null ? null : Number(Number(value).toPrecision(9)),
    ]),
  ) as unknown as Bucket;
}

/** The same worked out from the readings in memory. */
export function expected(readings: readonly Reading[], length: number): Record<string, Bucket> {
  // Of two readings with the same time the first one counts.
  const byTime = new Map(readings.toReversed().map((reading) => [reading.at, reading]));
  const ordered = [...byTime.values()].toSorted((a, b) => a.at - b.at);
  const found: Record<string, Bucket> = {};
  for (const [index, { at, cpu, rx, tx }] of ordered.entries()) {
    const before = ordered[index - 1];
    const seconds = before ? (at - before.at) / 1000 : Infinity;
    const isTold = before && seconds <= 600 && rx >= before.rx && tx >= before.tx;
    const net = isTold ? (rx - before.rx + tx - before.tx) / seconds : null;
    const key = new Date(Math.floor(at / length) * length).toISOString();
    const bucket = (found[key] ??= {
      samples: 0,
      cpu_sum: 0,
      cpu_min: Infinity,
      cpu_max: -Infinity,
      net_count: 0,
      net_sum: null,
      net_min: null,
      net_max: null,
    });
    bucket.samples += 1;
    bucket.cpu_sum += cpu;
    bucket.cpu_min = Math.min(bucket.cpu_min, cpu);
    bucket.cpu_max = Math.max(bucket.cpu_max, cpu);
    if (net !== null) {
      bucket.net_count += 1;
      bucket.net_sum = (bucket.net_sum ?? 0) + net;
      bucket.net_min = Math.min(bucket.net_min ?? Infinity, net);
      bucket.net_max = Math.max(bucket.net_max ?? -Infinity, net);
    }
  }
  return Object.fromEntries(Object.entries(found).map(([key, bucket]) => [key, rounded(bucket)]));
}

export const steps = fc.array(
  fc.record({
    // Now and then a gap: with a rate over it, and without one.
    gap: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 15, max: 300 }) },
      fc.constantFrom(590, 600, 601, 4_000),
    ),
    ms: fc.integer({ min: -400, max: 400 }),
    cpu: fc.integer({ min: 0, max: 100 }),
    rx: fc.integer({ min: 0, max: 10_000 }),
    isReset: fc.boolean(),
  }),
  { minLength: 3, maxLength: 60 },
);

export interface Off {
  skew: number;
  delays: readonly number[];
}

// Seconds that a clock is off by, with those at which the measured skew is now on one side of a step and now on the other.
export const off: fc.Arbitrary<Off> = fc.record({
  skew: fc
    .tuple(
      fc.constantFrom(0, 7, -20, -30, 31, 60, -60, 90, 107, 3_600, -3_600),
      fc.integer({ min: 0, max: 300 }),
    )
    .map(([seconds, ms]) => seconds * 1000 + ms),
  delays: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 5 }),
});

export function readingsOf(
  list: readonly { gap: number; ms: number; cpu: number; rx: number; isReset: boolean }[],
): Reading[] {
  let at = start;
  let rx = 5_000;
  return list
    .map((step) => {
      at += step.gap * 1000 + step.ms;
      rx = step.isReset && step.cpu > 80 ? step.rx : rx + step.rx;
      return { at, cpu: step.cpu, rx, tx: rx * 2 };
    })
    .filter((reading) => reading.at < start + 10 * hour);
}

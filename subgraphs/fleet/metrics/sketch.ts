/**
 * Sketches of how values spread, after DDSketch (Masson, Rim and Lee, PVLDB 12, 2019): of each value only which bucket it
 * is in is kept, and buckets widen with the value, so that a quantile is within 2 % of the truth, however many sketches
 * were put together. Values below a thousandth count as nothing. The function `fleet.sketch` makes them.
 */
export type Sketch = readonly (readonly [bucket: number, count: number])[];

const accuracy = 0.02;
const growth = (1 + accuracy) / (1 - accuracy);
const nothing = -1_000;

/**
 * The 95th percentile by nearest rank of `count` values, within 2 %. Null when the sketch is not of all of them, as
 * rollups from before there were sketches are among them.
 */
export function p95Of(sketch: Sketch, count: number): number | null {
  const sizes = new Map<number, number>();
  for (const [bucket, size] of sketch) sizes.set(bucket, (sizes.get(bucket) ?? 0) + size);
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (total !== count) return null;
  let rest = Math.ceil(0.95 * total);
  for (const [bucket, size] of [...sizes].toSorted(([a], [b]) => a - b)) {
    rest -= size;
    // The middle of the bucket, as far from both its ends in proportion.
    if (rest <= 0) return bucket === nothing ? 0 : (2 * growth ** bucket) / (growth + 1);
  }
  return null;
}

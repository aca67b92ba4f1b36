export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

export interface Contender<Sample> {
  name: string;
  /** One batch of work; answers what was measured. */
  round(): Promise<Sample>;
}

/** Runs two contenders in turn, A B B A, and leaves the first rounds out, in which things are still warming up. */
export async function abba<Sample>(
  a: Contender<Sample>,
  b: Contender<Sample>,
  { rounds = 12, discarded = 2 }: { rounds?: number; discarded?: number } = {},
): Promise<{ a: Sample[]; b: Sample[] }> {
  const found = { a: [] as Sample[], b: [] as Sample[] };
  for (let round = 0; round < rounds; round += 1) {
    const isTurned = round % 2 === 1;
    const first = await (isTurned ? b : a).round();
    const second = await (isTurned ? a : b).round();
    if (round < discarded) continue;
    found.a.push(isTurned ? second : first);
    found.b.push(isTurned ? first : second);
  }
  return found;
}

/** The median of the ratio of each pair, which what else happens on the machine sways less than a ratio of medians. */
export function pairedRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, at) => value / b[at]!));
}

/** Something that a check found wrong. No findings is what every suite here guarantees. */
export interface Finding {
  /** The operation, entity, route or table, as the schema or the table names it. */
  where: string;
  caller: string;
  problem: string;
}

/** How much was looked at, for the one line that a suite prints. */
export function summary(
  suite: string,
  counts: Readonly<Record<string, number>>,
  findings: readonly Finding[],
): string {
  const parts = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  return `${suite}: ${parts.join(' x ')}, ${findings.length} findings\n`;
}

/** Runs `work` for each item, so many at a time, and answers all that was found. */
export async function inTurns<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<readonly Finding[]>,
  atOnce = 12,
): Promise<Finding[]> {
  const found: Finding[][] = [];
  const queue = items.map((item, at) => ({ item, at }));
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) found[next.at] = [...(await work(next.item))];
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return found.flat();
}

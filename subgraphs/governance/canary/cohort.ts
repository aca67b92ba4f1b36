import { createHash } from 'node:crypto';

/**
 * The order in which a canary comes to instances: the same for the same canary whoever asks and whenever, and another
 * for another canary, so that it is not the same ones that are first each time.
 */
export function cohortOrder(canaryId: string, instanceIds: readonly string[]): string[] {
  const keyed = instanceIds.map((id) => ({
    id,
    key: createHash('sha256').update(`${canaryId} ${id}`).digest('hex'),
  }));
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ id }) => id);
}

/** Of each step how many have it when it is over: at least one, and one more than before where the fleet has so many. */
export function cohortSizes(percents: readonly number[], total: number): number[] {
  let before = 0;
  return percents.map((percent) => {
    before = Math.min(total, Math.max(Math.ceil((total * percent) / 100), before === 0 ? 1 : before));
    return before;
  });
}

/** The step of each position, from 1; those whom no step reaches have the one after the last. */
export function stepOf(position: number, sizes: readonly number[]): number {
  const at = sizes.findIndex((size) => position < size);
  return at === -1 ? sizes.length + 1 : at + 1;
}

import { setImmediate as breathe } from 'node:timers/promises';

/** Some at a time, in their order: for work on many things at once, so that everybody else has a turn in between. */
export async function* slices<Item>(items: readonly Item[], size: number): AsyncGenerator<readonly Item[]> {
  for (let at = 0; at < items.length; at += size) {
    if (at > 0) await breathe();
    yield items.slice(at, at + size);
  }
}

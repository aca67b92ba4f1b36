import { setImmediate as breathe } from 'node:timers/promises';

/** How long work on many things goes on before others have a turn. */
const turnMs = 20;

/**
 * One at a time, with a turn for everybody else once some milliseconds have passed: where one may cost much or little. After
 * `atMostMs` the rest is left out; the first never is.
 */
export async function* inTurns<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  atMostMs = Infinity,
): AsyncGenerator<Item> {
  const end = performance.now() + atMostMs;
  let began: number | undefined;
  for await (const item of items) {
    const now = performance.now();
    if (began !== undefined && now > end) return;
    began ??= now;
    if (now - began > turnMs) {
      await breathe();
      began = performance.now();
    }
    yield item;
  }
}

/** Some at a time, in their order: for work on many things at once, so that everybody else has a turn in between. */
export async function* slices<Item>(items: readonly Item[], size: number): AsyncGenerator<readonly Item[]> {
  for (let at = 0; at < items.length; at += size) {
    if (at > 0) await breathe();
    yield items.slice(at, at + size);
  }
}

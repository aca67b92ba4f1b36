/** An event of an export; the readers of an outbox take hundreds at once. */
const partBytes = 64 * 1024;

/** Cuts rows, which are JSON texts, into as many as fit into an event together, and one at least. */
export function* partsOf(rows: readonly string[]): Generator<unknown[]> {
  for (let from = 0; from < rows.length;) {
    let to = from;
    for (let bytes = 0; to < rows.length && (to === from || bytes + rows[to]!.length <= partBytes); to += 1)
      bytes += rows[to]!.length;
    yield rows.slice(from, to).map((row): unknown => JSON.parse(row));
    from = to;
  }
}

/**
 * What a subgraph's subscription source yields for each event. The field's resolver reads `payload`; the cursor goes
 * to the client as `extensions.cursor`, and comes back as `RequestContext.after` when the client resumes.
 */
export interface SourceEvent<Payload = unknown> {
  payload: Payload;
  cursor?: string;
}

/** The extensions of an event's result, absent when the source gave no cursor. */
export function cursorExtensions(rootValue: unknown): { cursor: string } | undefined {
  if (typeof rootValue !== 'object' || rootValue === null || !('cursor' in rootValue)) return undefined;
  return typeof rootValue.cursor === 'string' ? { cursor: rootValue.cursor } : undefined;
}

/** The cursor that a result carries. */
export function cursorOf(result: { extensions?: Record<string, unknown> | undefined }): string | undefined {
  const cursor = result.extensions?.cursor;
  return typeof cursor === 'string' ? cursor : undefined;
}

/** What a subscription's source tells beside its events: the cursor to go on after when none came before it was cut. */
export interface OpenedAt {
  openedAt?: string;
}

/** Where a stream of events begins, if its source told. */
export function openedAtOf(stream: object): string | undefined {
  return 'openedAt' in stream && typeof stream.openedAt === 'string' ? stream.openedAt : undefined;
}

/** An iterator whose `return` is always there, as graphql-ws asks for. */
export type EventStream<Value> = AsyncGenerator<Value, undefined, undefined>;

/** A stream with an event before its own. */
export function startWith<Value>(first: Value, stream: EventStream<Value>): EventStream<Value> {
  let isFirst = true;
  return {
    ...stream,
    next: () => {
      if (!isFirst) return stream.next();
      isFirst = false;
      return Promise.resolve({ value: first, done: false });
    },
  };
}

/**
 * Maps each event of a stream.
 *
 * Not an `async function*`: its `return()` would queue behind the pending `next()`, so a client that unsubscribes
 * while no event is due would leave the source open for ever. Here `return()` goes straight through to the source, and
 * ends the pending `next()` even when the source itself is slow to stop.
 */
export function mapEvents<Source, Value>(
  source: AsyncIterable<Source>,
  map: (event: Source) => Promise<Value>,
  onError: (error: unknown) => unknown = (error) => error,
  /** Called once, when nobody takes events any more or there are none. */
  onClose: () => void = () => undefined,
): EventStream<Value> {
  const iterator = source[Symbol.asyncIterator]();
  const done: IteratorReturnResult<undefined> = { value: undefined, done: true };
  let endPending: (() => void) | undefined;
  let closed = false;

  const close = (): void => {
    if (closed) return;
    closed = true;
    onClose();
    endPending?.();
    // A source that fails to stop, or takes long, is no concern of the client that has left.
    (async () => iterator.return?.())().catch(() => {});
  };
  const pull = async (): Promise<IteratorResult<Value, undefined>> => {
    const step = await iterator.next();
    if (step.done) {
      close();
      return done;
    }
    return closed ? done : { value: await map(step.value), done: false };
  };

  return {
    next: () => {
      if (closed) return Promise.resolve(done);
      return new Promise((resolve, reject) => {
        endPending = () => resolve(done);
        pull().then(resolve, (error: unknown) => {
          // Before closing, which would end the stream as if nothing had happened.
          reject(onError(error));
          close();
        });
      });
    },
    return: () => {
      close();
      return Promise.resolve(done);
    },
    throw: (error: unknown) => {
      close();
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: () => {
      close();
      return Promise.resolve();
    },
  };
}

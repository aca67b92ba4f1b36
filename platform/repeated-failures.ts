import { LRUCache } from 'lru-cache';
import type { LogFn, Logger } from 'pino';

/**
 * How often one kind of failure is written to the log: the first few at once, then one line for a while that says how
 * many there were, and that while doubles for as long as it goes on. A failure stays known until a while without it.
 */
export const repetition = { atOnce: 3, firstMs: 60_000, longestMs: 15 * 60_000, kinds: 500 };

/** What names the place of a failure in a log entry; ids of requests and rows would make each one a kind of its own. */
const places = ['area', 'step', 'lease', 'subgraph', 'job', 'consumer', 'operation'] as const;

const warn = 40;

interface Kind {
  written: number;
  withheld: number;
  everyMs: number;
  timer: NodeJS.Timeout;
  writeLatest: (withheld: number) => void;
}

type Entry = Record<string, unknown>;
type Failure = { message: string; name?: unknown; code?: unknown };

/**
 * A hook for pino that keeps an outage from filling the disk: a loop that fails each second, and each request that
 * fails meanwhile, write the same line again and again. Only entries with an `err` are withheld.
 */
export function repeatedFailures(): (
  this: Logger,
  args: Parameters<LogFn>,
  write: LogFn,
  level: number,
) => void {
  const kinds = new LRUCache<string, Kind>({
    max: repetition.kinds,
    dispose: (kind) => clearTimeout(kind.timer),
  });

  function look(name: string): void {
    const kind = kinds.peek(name);
    if (!kind) return;
    if (kind.withheld === 0) {
      kinds.delete(name);
      return;
    }
    kind.writeLatest(kind.withheld);
    kind.withheld = 0;
    kind.everyMs = Math.min(kind.everyMs * 2, repetition.longestMs);
    kind.timer = later(name, kind.everyMs);
  }
  function later(name: string, ms: number): NodeJS.Timeout {
    return setTimeout(() => look(name), ms).unref();
  }

  return function (args, write, level) {
    const [entry, message] = args as [unknown, unknown];
    if (level < warn || !hasError(entry)) return write.apply(this, args);
    const name = kindOf(entry, message);
    let kind = kinds.get(name);
    if (!kind) {
      const everyMs = repetition.firstMs;
      kind = { written: 0, withheld: 0, everyMs, timer: later(name, everyMs), writeLatest: () => undefined };
      kinds.set(name, kind);
    }
    if (kind.written < repetition.atOnce) {
      kind.written += 1;
      return write.apply(this, args);
    }
    kind.withheld += 1;
    kind.writeLatest = (repeated) => write.apply(this, [{ ...entry, repeated }, message as string]);
  };
}

/** Some libraries hand on an error's fields without the error. */
function hasError(entry: unknown): entry is Entry & { err: Failure } {
  if (typeof entry !== 'object' || entry === null || !('err' in entry)) return false;
  const { err } = entry;
  return typeof err === 'object' && err !== null && 'message' in err && typeof err.message === 'string';
}

/** The same place, message and error; a codeless error by its words, in which numbers and ids differ each time. */
function kindOf(entry: Entry & { err: Failure }, message: unknown): string {
  const { name, code, message: words } = entry.err;
  const error =
    typeof code === 'string'
      ? code
      : `${String(name)}: ${words.slice(0, 200).replace(/[\w-]*\d[\w-]*/g, '#')}`;
  return [
    String(message),
    error,
    ...places.map((place) => (typeof entry[place] === 'string' ? entry[place] : '')),
  ].join('|');
}

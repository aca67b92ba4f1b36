import { stdSerializers } from 'pino';

/** What PostgreSQL and its drivers tell of a failed statement beside the message: the statement, or values in it. */
const telling = new Set(['detail', 'where', 'query', 'internalQuery', 'sql', 'params', 'parameters']);

/**
 * An error as it is logged. A failed statement's details may be a password hash or a mail address (`Key (email)=(...)
 * already exists`), so they are left out, also where the ORM has put them into the message.
 */
export function loggedError(error: unknown): unknown {
  const logged: unknown = stdSerializers.err(error as Error);
  if (!isObject(logged)) return logged;
  return withoutDetails(logged, hider(error), 0);
}

/** Its own message, without its causes', as it is logged. */
export function messageWithoutDetails(error: Error): string {
  return hider(error)(error.message);
}

function hider(error: unknown): (text: string) => string {
  const details = detailsOf(error);
  return (text) => details.reduce((shown, detail) => shown.replaceAll(detail, '[hidden]'), text);
}

// Errors of several attempts hold one for each, which may hold more.
const deepest = 5;

function withoutDetails(value: unknown, hide: (text: string) => string, depth: number): unknown {
  if (typeof value === 'string') return hide(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === deepest) return '[hidden]';
  if (Array.isArray(value)) return value.map((item: unknown) => withoutDetails(item, hide, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !telling.has(name))
      .map(([name, inner]) => [name, withoutDetails(inner, hide, depth + 1)]),
  );
}

/** Some libraries hand on copies of errors that are plain objects. */
function detailsOf(error: unknown): string[] {
  const details: string[] = [];
  // The chain may close on itself.
  const seen = new Set<unknown>();
  for (let link = error; isObject(link) && !seen.has(link); link = link['cause']) {
    seen.add(link);
    for (const name of telling) {
      const value = link[name];
      if (typeof value === 'string' && value !== '') details.push(value);
    }
  }
  return details;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

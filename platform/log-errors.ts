import { stdSerializers } from 'pino';

/** What PostgreSQL and its drivers tell of a failed statement beside the message: the statement, or values in it. */
const telling = new Set(['detail', 'where', 'query', 'internalQuery', 'sql', 'params', 'parameters']);

/**
 * An error as it is logged. A failed statement's details may be a password hash or a mail address (`Key (email)=(...)
 * already exists`), so they are left out, also where the ORM has put them into the message.
 */
export function loggedError(error: unknown): unknown {
  const logged: unknown = stdSerializers.err(error as Error);
  if (!(error instanceof Error) || typeof logged !== 'object' || logged === null) return logged;
  const details = detailsOf(error);
  const hide = (text: string) =>
    details.reduce((shown, detail) => shown.replaceAll(detail, '[hidden]'), text);
  return Object.fromEntries(
    Object.entries(logged)
      .filter(([name]) => !telling.has(name))
      .map(([name, value]) => [name, typeof value === 'string' ? hide(value) : value]),
  );
}

function detailsOf(error: Error): string[] {
  const details: string[] = [];
  // The chain may close on itself.
  const seen = new Set<unknown>();
  for (let link: unknown = error; link instanceof Error && !seen.has(link); link = link.cause) {
    seen.add(link);
    for (const name of telling) {
      const value: unknown = Reflect.get(link, name);
      if (typeof value === 'string' && value !== '') details.push(value);
    }
  }
  return details;
}

import { lookup, Resolver } from 'node:dns/promises';

/** The addresses of a host name, as text; none when it has none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/**
 * Asks DNS itself, not the operating system: getaddrinfo blocks one of the few threads that password hashing and files
 * share, and names that users give may be slow on purpose.
 */
export const resolveByDns: Resolve = async (hostname) => {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
};

/** The operating system's view: /etc/hosts, search domains and all. For names that an operator lets through. */
export const resolveBySystem: Resolve = async (hostname) => {
  const found = await lookup(hostname, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
};

import { domainToASCII } from 'node:url';

const rfc1123 = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/;
/** With underscores, as machines have them that were named without DNS in mind; browsers find no such host. */
const withUnderscores = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/;

/**
 * A host name as it is stored: in lower case, without the dot that ends a fully qualified one, and in ASCII where it is
 * an international one (UTS 46). What is no host name comes back as it is, for `isHostName` to refuse.
 */
export function normalHostName(text: string): string {
  const name = text.trim().toLowerCase().replace(/\.$/, '');
  // Only these: it would make addresses out of numbers, such as 10.1.
  return /[^\p{ASCII}]/u.test(name) ? domainToASCII(name) || name : name;
}

/** Whether a normal name is one by RFC 1123. */
export function isHostName(name: string): boolean {
  return rfc1123.test(name);
}

/** The same, with underscores in it allowed. */
export function isLooseHostName(name: string): boolean {
  return withUnderscores.test(name);
}

/**
 * The address with its host as browsers know it, where that is another: without the dot that ends it, which would make
 * another origin of it, and in ASCII.
 */
export function normalAddress(text: string): string {
  const address = text.trim();
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  url.hostname = url.hostname.replace(/\.$/, '');
  const written = /^[a-z]+:\/\/[^/?#]*/i.exec(address)?.[0] ?? '';
  return `${url.protocol}//${url.host}${address.slice(written.length)}`;
}

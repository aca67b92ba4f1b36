const ownMachine = ['127.0.0.1', '[::1]', 'localhost'];

/**
 * Whether sign-in codes may be sent there: https, unless it leads to the user's own machine (RFC 8252, section 7.3).
 * What is no URL is not.
 */
export function isSafeRedirect(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname, hash, username } = new URL(uri);
  if (hash !== '' || username !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && ownMachine.includes(hostname));
}

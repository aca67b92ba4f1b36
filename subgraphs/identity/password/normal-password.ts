/** More than a password of 256 characters can take in any form: what is longer is wrong however it is read. */
export const longestForm = 4_096;

/**
 * A password as it is hashed and compared (RFC 8265, section 4.2, OpaqueString): composed (NFC), with the space of
 * ASCII in the place of every other. Keyboards and systems differ in both, and people can see neither. Nothing is
 * trimmed, and case counts.
 */
export function normalPassword(password: string): string {
  return password
    .slice(0, longestForm)
    .replaceAll(/\p{Zs}/gu, ' ')
    .normalize('NFC');
}

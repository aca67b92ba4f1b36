/** A key for one call: a second press of a button does nothing twice. */
export function onceKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}

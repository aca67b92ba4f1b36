import { RE2JS } from 're2js';

/** Looks for a pattern in time that grows with the text alone, whatever the pattern. */
export type Pattern = (text: string) => boolean;

/** Why a pattern cannot be used, or the pattern. RE2's syntax: no look-around, no back references. */
export function compilePattern(source: string): Pattern | { fault: string } {
  try {
    const compiled = RE2JS.compile(source);
    return (text) => compiled.matcher(text).find();
  } catch (error) {
    return { fault: error instanceof Error ? error.message : 'it is no pattern' };
  }
}

import { RE2JS } from 're2js';

/** Looks for a pattern in time that grows with the text alone, whatever the pattern. */
export type Pattern = (text: string) => boolean;

/** How large what patterns are compiled to may be: a counted repetition is written out, and `(...){1000}` is long. */
export const patternLimits = {
  /** Of all patterns of a rule together, as `weightOf` tells it. */
  weight: 5_000,
  /** Instructions of one pattern. */
  instructions: 2_000,
  /** Of all patterns of a tenant's policies in force: at most about 0.2 s of CPU for an instance, whatever it reports. */
  inForce: 10_000,
  /** What a pattern counts at least there. */
  leastInForce: 50,
} as const;

/** Why a pattern cannot be used, or the pattern. RE2's syntax: no look-around, no back references. */
export function compilePattern(source: string): Pattern | { fault: string } {
  const tooLarge = { fault: 'it repeats too much too often' };
  // Before: it is compiling that takes the time and the memory.
  if (weightOf(source) > patternLimits.weight) return tooLarge;
  try {
    const compiled = RE2JS.compile(source);
    if (compiled.programSize() > patternLimits.instructions) return tooLarge;
    // Why a rule fails is looked up after it did, and instances of a fleet are mostly alike.
    let [last, isFound] = ['', compiled.matcher('').find()];
    return (text) => {
      if (text !== last) [last, isFound] = [text, compiled.matcher(text).find()];
      return isFound;
    };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : 'it is no pattern' };
  }
}

const tokens =
  /\\Q[^]*?(?:\\E|$)|\\[pPx]\{[^}]*\}|\\[^]|\[\^?\]?(?:\\[^]|\[:\^?\w+:\]|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[^]/gu;
const repetition = /^\{(\d+)(?:,(\d*))?\}$/;
const unicodeClass = /\\[pP]/g;
/** A class of Unicode has hundreds of ranges. */
const unicodeWeight = 10;

/** About what a pattern is compiled to, and not less, without compiling it. Takes time that grows with its length alone. */
export function weightOf(source: string): number {
  /** Of each group that is open, the pattern itself first. */
  const open = [2];
  /** Of what a repetition that came next would repeat. */
  let last = 0;
  const add = (weight: number) => {
    open.push(open.pop()! + weight);
  };
  for (const [token] of source.matchAll(tokens)) {
    const counted = repetition.exec(token);
    if (token === '(') {
      open.push(3);
      last = 0;
    } else if (token === ')' && open.length > 1) {
      last = open.pop()!;
      add(last);
    } else if (counted) {
      const [least, most] = [Number(counted[1]), Number(counted[2] ?? 0)];
      const repeated = (last + 1) * Math.max(least + 1, most);
      add(repeated - last);
      last = repeated;
    } else if (token === '*' || token === '+' || token === '?') {
      add(2);
      last += 2;
    } else if (token === '|') {
      add(3);
      last = 0;
    } else {
      last = token.length + unicodeWeight * (token.match(unicodeClass)?.length ?? 0);
      add(last);
    }
  }
  return open.reduce((sum, weight) => sum + weight, 0);
}

import type { z } from 'zod';

import type { Clock } from './clock.js';
import type { Faults } from './validation.js';

/**
 * The rules of an area's input types by the types' names, for whoever refuses an input before the area sees it, so that
 * a client hears of all its faults at once. Rules that depend on who calls are the area's alone.
 */
export type InputRules = Readonly<Record<string, (now: Date) => z.ZodType>>;

/** What rules say of a value that may not even fit its type; keyed by paths that begin with `path`. */
export type FindBrokenRules = (type: string, value: unknown, path: string) => Faults;

/** Faults of a value's type, which whoever refuses it tells in words of its own. */
const ofType: ReadonlySet<string> = new Set([
  'invalid_type',
  'invalid_value',
  'invalid_union',
  'unrecognized_keys',
]);

/** Enough to mend an input by. */
const most = 100;

export function findBrokenRules(rules: InputRules, clock: Clock): FindBrokenRules {
  return (type, value, path) => {
    const parsed = rules[type]?.(clock.now()).safeParse(value);
    const faults: Faults = {};
    for (const { code, path: below, message } of parsed?.error?.issues.slice(0, most) ?? [])
      if (!ofType.has(code)) faults[[path, ...below].join('.')] ??= message;
    return faults;
  };
}

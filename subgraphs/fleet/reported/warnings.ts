import { cut } from '#platform/cut-text.js';

import { rounded } from './figures.js';
import type { InputWarning } from './input-warning.js';
import { timeOf } from './rfc3339.js';

/** Enough to mend a program by; an answer must not become longer than what it answers. */
const most = 100;
const longestName = 100;

/** What a measurement may be. */
export interface Range {
  /** How people call it. */
  what: string;
  /** The least is 0. */
  max: number;
  /** Up to this it counts as `max`. */
  slack?: number;
  /** Cut off instead of being refused, as of a byte. */
  fractions?: 'cut' | 'refused';
  /** How many decimals people want to read. */
  decimals?: number;
}

/** Reads what a node reports, field by field, and gathers what of it could not be taken as it came. */
export class Warnings {
  private readonly found: InputWarning[] = [];

  /** None is null, and not an empty list: most reports have none. */
  get all(): InputWarning[] | null {
    return this.found.length === 0 ? null : this.found;
  }

  add(field: string, message: string): void {
    if (this.found.length < most) this.found.push({ field, restField: restName(field), message });
  }

  /** Names come from the client as they are. */
  addUnknown(names: readonly string[] | null | undefined, at = ''): void {
    for (const name of names ?? []) {
      if (this.found.length >= most) return;
      const field = at + cut(name, longestName);
      this.found.push({
        field,
        restField: restName(at) + cut(name, longestName),
        message: `"${cut(name, longestName)}" is not a known field; it was ignored`,
      });
    }
  }

  /** The number as it is kept, or null when it is none or out of range; `fault` is told what is wrong then. */
  number(field: string, value: unknown, range: Range, fault?: (message: string) => void): number | null {
    if (value === null || value === undefined) return null;
    const message = faultOf(value, range);
    if (message === undefined) return kept(value as number, range);
    this.add(field, `${message}; it was left out`);
    fault?.(message);
    return null;
  }

  /** The text, cut if it is too long; null when it is none or blank. */
  text(field: string, value: unknown, { what, max }: { what: string; max: number }): string | null {
    if (value === null || value === undefined) return null;
    if (typeof value !== 'string') {
      this.add(field, `${what} must be text; it was left out`);
      return null;
    }
    const text = value.trim();
    if (text.length <= max) return text || null;
    this.add(field, `${what} must have at most ${max} characters; it was cut`);
    return cut(text, max);
  }

  /** The time, or null when it is none by RFC 3339. */
  time(field: string, value: unknown, what: string): Date | null {
    if (value === null || value === undefined) return null;
    // Whoever calls in the same process may have a Date already.
    const time = value instanceof Date ? value : typeof value === 'string' ? timeOf(value) : undefined;
    if (time && !Number.isNaN(time.getTime())) return time;
    this.add(field, `${what} must be a time as in 2025-01-15T10:30:00Z; it was left out`);
    return null;
  }
}

function faultOf(value: unknown, { what, max, slack = max, fractions }: Range): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return `${what} must be a number`;
  if (value < 0 || value > slack) return `${what} must be from 0 to ${max}`;
  if (fractions === 'refused' && !Number.isInteger(value)) return `${what} must be a whole number`;
  return undefined;
}

function kept(value: number, { max, fractions, decimals }: Range): number {
  const within = Math.min(value, max);
  if (fractions === 'cut') return Math.trunc(within);
  return decimals === undefined ? within : rounded(within, decimals);
}

function restName(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

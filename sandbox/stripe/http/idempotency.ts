import { createHash } from 'node:crypto';

import { StripeError } from '../errors.js';
import { day } from '../settings.js';

/** An answer as it went out. */
export interface Answer {
  status: number;
  body: string;
  requestId: string;
}

interface Kept {
  parameters: string;
  at: number;
  answer: Answer | undefined;
  isUnderWay: boolean;
}

const keptSeconds = day;
const longestKey = 255;

/** Remembers what was answered for each idempotency key, for a day. */
export class IdempotencyKeys {
  private readonly kept = new Map<string, Kept>();

  /**
   * Claims a key for a request. The answer is that of an earlier request with this key and the same parameters, if
   * there was one; with others, or while the earlier one is under way, it is an error.
   */
  begin(key: string, request: string, now: number): Answer | undefined {
    if (key.length > longestKey)
      throw new StripeError(
        400,
        'invalid_request_error',
        `Idempotency keys may have at most ${longestKey} characters.`,
      );
    const parameters = createHash('sha256').update(request).digest('base64');
    const before = this.kept.get(key);
    if (!before || before.at + keptSeconds <= now) {
      this.kept.set(key, { parameters, at: now, answer: undefined, isUnderWay: true });
      return undefined;
    }
    if (before.parameters !== parameters)
      throw new StripeError(
        400,
        'idempotency_error',
        `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      );
    if (before.isUnderWay || !before.answer)
      throw new StripeError(
        409,
        'idempotency_error',
        `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Try again later.`,
        { code: 'idempotency_key_in_use' },
      );
    return before.answer;
  }

  /** What is to be answered from now on; the request itself is still under way. */
  keep(key: string, answer: Answer): void {
    const kept = this.kept.get(key);
    if (kept) kept.answer = answer;
  }

  /** The request was answered. */
  end(key: string): void {
    const kept = this.kept.get(key);
    if (kept) kept.isUnderWay = false;
  }

  /** Nothing was done: the key is free again. */
  release(key: string): void {
    this.kept.delete(key);
  }

  contents(): [string, Kept][] {
    return [...this.kept].filter(([, { answer }]) => answer !== undefined);
  }

  load(contents: [string, Kept][]): void {
    for (const [key, kept] of contents) this.kept.set(key, { ...kept, isUnderWay: false });
  }
}

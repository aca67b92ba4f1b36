import { z } from 'zod';

/** What goes wrong with a request, on purpose. */
export const fault = z.strictObject({
  /** How many matching requests it happens to. */
  next: z.int().min(1).default(1),
  method: z.enum(['GET', 'POST', 'DELETE']).optional(),
  /** The path begins so. */
  path: z.string().optional(),
  /**
   * `error`: answered with `status`, nothing is done. `delay`: done, and answered `delayMs` later. `delay_before`: waits
   * first, then is done. `drop_before`: the connection ends, nothing is done. `drop_after_commit`: done, and the
   * connection ends without the answer. `cut_body`: done, and the answer ends in its middle.
   */
  kind: z.enum(['error', 'delay', 'delay_before', 'drop_before', 'drop_after_commit', 'cut_body']),
  status: z.int().min(400).max(599).default(500),
  delayMs: z.int().min(0).max(600_000).default(0),
  /** The body of an `error` is a web page, as from a proxy in between. */
  isHtml: z.boolean().default(false),
  /** An `error` is of Stripe's own making: it is the answer to the request's idempotency key from then on. */
  isKept: z.boolean().default(false),
  /** Sent with an `error`, in seconds. */
  retryAfter: z.int().optional(),
  /** Sent with an `error`: whether the SDK is told to try again. */
  shouldRetry: z.boolean().optional(),
});

export type Fault = z.infer<typeof fault>;

/** Faults that wait for their requests, first come first served. */
export class Faults {
  private waiting: Fault[] = [];

  add(one: Fault): void {
    this.waiting.push({ ...one });
  }

  clear(): void {
    this.waiting = [];
  }

  list(): readonly Fault[] {
    return this.waiting;
  }

  take(method: string, path: string): Fault | undefined {
    const found = this.waiting.find(
      (one) => (one.method ?? method) === method && path.startsWith(one.path ?? '/'),
    );
    if (!found) return undefined;
    found.next -= 1;
    if (found.next === 0) this.waiting = this.waiting.filter((one) => one !== found);
    return found;
  }
}

import { z } from 'zod';

/** What goes wrong with a request, on purpose. */
export const fault = z.strictObject({
  /** How many matching requests it happens to. */
  next: z.int().min(1).default(1),
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']).optional(),
  /** The path begins so. */
  path: z.string().optional(),
  /** The body has this in it. */
  body: z.string().optional(),
  /**
   * `error`: answered with `code`, nothing is done. `delay`: done, and answered `delayMs` later. `delay_before`: waits
   * first, then is done. `no_answer`: nothing is done, and nothing answered for as long as the client waits.
   * `drop_before`: the connection ends, nothing is done. `drop_after_commit`: done, and the
   * connection ends without the answer. `html`: a web page with `status`, as from a proxy in between, which says `retryAfter`.
   * `action_error`: the request is done, and its first action ends in an error of this code.
   */
  kind: z.enum([
    'error',
    'delay',
    'delay_before',
    'no_answer',
    'drop_before',
    'drop_after_commit',
    'html',
    'action_error',
  ]),
  code: z.string().default('server_error'),
  message: z.string().default('it was told to fail'),
  status: z.int().min(400).max(599).default(502),
  /** As a header: seconds, or a date. */
  retryAfter: z.string().optional(),
  delayMs: z.int().min(0).max(600_000).default(0),
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

  take(method: string, path: string, body: string): Fault | undefined {
    const found = this.waiting.find(
      (one) =>
        (one.method ?? method) === method &&
        path.startsWith(one.path ?? '/') &&
        body.includes(one.body ?? ''),
    );
    if (!found) return undefined;
    found.next -= 1;
    if (found.next === 0) this.waiting = this.waiting.filter((one) => one !== found);
    return found;
  }
}

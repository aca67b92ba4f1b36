import { z } from 'zod';

import { reasons } from '../errors.js';

/** What goes wrong with a request, on purpose. */
export const fault = z.strictObject({
  /** How many matching requests it happens to. */
  next: z.int().min(1).default(1),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional(),
  /** The path begins so. */
  path: z.string().optional(),
  /** The query has this in it, decoded. */
  query: z.string().optional(),
  /** Only dry runs, or only what is none. */
  dryRun: z.boolean().optional(),
  /**
   * `error`: answered with a Status of `reason`, nothing is done. `delay`: done, and answered `delayMs` later.
   * `late`: done `delayMs` later.
   * `drop_before`: the connection ends, nothing is done. `drop_after_commit`: done, and the connection ends without the
   * answer. `html`: a web page with status 502, as from a proxy in between. `cut`: the answer ends half-way. `empty`: it is a
   * success with nothing in it, as a proxy ends a watch. `proxy`: answered with `status` by what stands before it. `body`:
   * it is a success with `body` in it, whatever was asked for.
   */
  kind: z.enum([
    'error',
    'delay',
    'late',
    'drop_before',
    'drop_after_commit',
    'html',
    'cut',
    'empty',
    'proxy',
    'body',
  ]),
  body: z.string().default(''),
  status: z.int().min(400).max(599).default(404),
  reason: z.enum(reasons).default('InternalError'),
  message: z.string().default('it was told to fail'),
  retryAfterSeconds: z.int().min(0).optional(),
  delayMs: z.int().min(0).max(600_000).default(0),
});

export type Fault = z.infer<typeof fault>;

/** Faults that wait for their requests, first come first served. */
export class Faults {
  private waiting: Fault[] = [];

  add(one: z.input<typeof fault>): void {
    this.waiting.push(fault.parse(one));
  }

  clear(): void {
    this.waiting = [];
  }

  list(): readonly Fault[] {
    return this.waiting;
  }

  take(method: string, url: URL): Fault | undefined {
    const query = decodeURIComponent(url.search);
    const isDry = url.searchParams.has('dryRun');
    const found = this.waiting.find(
      (one) =>
        (one.method ?? method) === method &&
        url.pathname.startsWith(one.path ?? '/') &&
        query.includes(one.query ?? '') &&
        (one.dryRun ?? isDry) === isDry,
    );
    if (!found) return undefined;
    found.next -= 1;
    if (found.next === 0) this.waiting = this.waiting.filter((one) => one !== found);
    return found;
  }
}

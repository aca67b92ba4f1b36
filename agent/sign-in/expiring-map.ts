import { randomBytes } from 'node:crypto';

import { elapsedBy, type Clock } from '../clock.js';

/** Values under random keys, each for a while that no setting of the clock changes; the oldest go when there are too many. */
export class ExpiringMap<Value> {
  private readonly entries = new Map<string, { value: Value; endsAt: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly limits: { lifetimeMs: number; max: number },
  ) {}

  add(value: Value): string {
    const [oldest] = this.entries.keys();
    if (oldest !== undefined && this.entries.size >= this.limits.max) this.entries.delete(oldest);
    const key = randomBytes(32).toString('base64url');
    this.entries.set(key, { value, endsAt: elapsedBy(this.clock) + this.limits.lifetimeMs });
    return key;
  }

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    return entry && entry.endsAt > elapsedBy(this.clock) ? entry.value : undefined;
  }

  take(key: string): Value | undefined {
    const value = this.get(key);
    this.entries.delete(key);
    return value;
  }
}

import type { Random } from './random.js';

const second = 1000;
const hour = 3_600_000;

/** `ms` give or take a tenth, so that nodes started together drift apart. */
export function jittered(ms: number, random: Random): number {
  return ms * (0.9 + 0.2 * random());
}

/** The offered interval in milliseconds, held between a second and an hour whatever the panel says. */
export function intervalMs(offeredSeconds: number): number {
  return Math.min(Math.max(offeredSeconds * second, second), hour);
}

/**
 * How long to keep away after a Retry-After of `ms`: never less than asked (or a second), at most a tenth more, because
 * a whole fleet may have been told the same moment.
 */
export function politeDelay(ms: number, random: Random): number {
  return Math.min(Math.max(ms, second), hour) * (1 + 0.1 * random());
}

/** Reads a Retry-After header, in seconds or as an HTTP date; undefined when there is none that makes sense. */
export function parseRetryAfter(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * second;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}

/** Exponential backoff with full jitter: anywhere between nothing and a ceiling that doubles with each failure. */
export class Backoff {
  #failures = 0;

  constructor(
    private readonly random: Random,
    private readonly firstMs = second,
    public capMs = 300 * second,
  ) {}

  /** The wait after one more failure. */
  next(): number {
    const ceiling = Math.min(this.capMs, this.firstMs * 2 ** this.#failures);
    this.#failures += 1;
    return ceiling * this.random();
  }

  reset(): void {
    this.#failures = 0;
  }
}

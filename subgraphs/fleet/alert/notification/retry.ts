const firstMs = 5_000;
const factor = 4;
const longestMs = 6 * 60 * 60 * 1000;
const attemptsInAll = 10;
/** Longer than ten attempts take, each as late as the other end may ask for. */
const longestInAllMs = 3 * 24 * 60 * 60 * 1000;

/** Whether it is given up whatever was noted of attempts at it: one that was broken off is not. */
export function isTooOld(createdAt: Date, now: Date): boolean {
  return now.getTime() - createdAt.getTime() > longestInAllMs;
}

/**
 * When to try again after so many attempts, or null when it is given up: after 5, 20, 80 seconds and so on up to six
 * hours, ten attempts over about a day, each pause up to a tenth longer so that many do not come at once.
 */
export function nextAttemptAfter(attempts: number, now: Date, retryAfterSeconds = 0): Date | null {
  if (attempts >= attemptsInAll) return null;
  const pause = Math.min(firstMs * factor ** (attempts - 1), longestMs) * (1 + Math.random() / 10);
  const asked = Math.min(retryAfterSeconds * 1000, longestMs);
  return new Date(now.getTime() + Math.max(pause, asked));
}

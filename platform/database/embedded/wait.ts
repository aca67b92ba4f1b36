import { setTimeout as sleep } from 'node:timers/promises';

/** Asks `probe` again and again until it answers; every wait on PostgreSQL ends here, so none is without bound. */
export async function until<Answer>(
  what: string,
  seconds: number,
  probe: () => Answer | undefined | Promise<Answer | undefined>,
): Promise<Answer> {
  for (const end = performance.now() + seconds * 1000; ;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`Waited ${seconds} s for ${what}`);
    await sleep(20);
  }
}

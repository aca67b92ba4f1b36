import { errors, type Locator } from 'playwright-core';

import type { TestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';

// Pages that follow events read anew at most every five seconds, by the machine's time: while time is moved on meanwhile,
// each second of it wakes all that goes on in a panel.
const lookMs = 250;

type State = 'detached' | 'visible';

/** Whether something is shown, once a page had the time to show it. */
export async function shownSoon(what: Locator, state: State = 'visible'): Promise<boolean> {
  try {
    await what.waitFor({ state, timeout: lookMs });
    return true;
  } catch (error) {
    if (error instanceof errors.TimeoutError) return false;
    throw error;
  }
}

/** Moves time on until something is shown, or is no more. */
export async function passUntil({ clock }: TestPanel, what: Locator, state?: State): Promise<void> {
  await until(
    async () => {
      await clock.advance(2_000);
      return shownSoon(what, state);
    },
    String(what),
    150_000,
  );
}

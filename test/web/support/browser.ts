import type { Browser } from 'playwright-core';

import { launchChromium } from '../../identity/support/chromium.js';

let launched: Promise<Browser> | undefined;

/** The browser of this worker, for all of its files: what each is about is in contexts of its own. It ends with the worker. */
export async function sharedBrowser(): Promise<Browser> {
  launched ??= launchChromium();
  return launched;
}

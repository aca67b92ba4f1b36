import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';

import { isChromiumThere } from '../../identity/support/chromium.js';
import type { TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { sharedBrowser } from './browser.js';
import { closeSeats, Person, visit } from './console.js';

/**
 * A panel for the tests of a file, there before the first, gone after the last, and the worker's browser. Without Chromium
 * there is neither, and the tests are to be skipped.
 */
export function useStage<Started extends TestPanel>(start: () => Promise<Started>) {
  let panel: Started;
  let browser: Browser;
  beforeAll(async () => {
    if (!isChromiumThere) return;
    panel = await start();
    browser = await sharedBrowser();
  });
  afterAll(async () => {
    if (panel) await closeSeats(panel.panel.url);
    await panel?.stop();
  });
  return {
    get panel() {
      return panel;
    },
    get browser() {
      return browser;
    },
    /** Somebody signs in at a page and works there. Answers what is wrong with it then. */
    at: async (who: Pick<Tenant, 'account'>, path: string, work: (page: Page) => Promise<void>) =>
      visit(browser, panel.panel.url, { who, path, work }),
    /** Somebody comes who is not signed in; with `more` of a browser's settings. */
    person: async (more: object = {}) => Person.come(browser, panel.panel.url, more),
  };
}

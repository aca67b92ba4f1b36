import type { Page } from 'playwright-core';

import { faultsOf } from './axe.js';

/** Makes the window 360 pixels wide, and answers how wide the page is in it. */
export async function narrowed(page: Page): Promise<number> {
  await page.setViewportSize({ width: 360, height: 740 });
  // Charts are as wide as their place was until the frame in which it has another width.
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  return page.evaluate<number>('document.documentElement.scrollWidth');
}

/** What is wrong with a page as it is now: what axe-core finds, and whether it is wider than a window of 360 pixels. */
export async function wrongWith(page: Page): Promise<string[]> {
  const faults = await faultsOf(page);
  const before = page.viewportSize()!;
  const width = await narrowed(page);
  await page.setViewportSize(before);
  return width > 360 ? [...faults, `it is ${width} pixels wide`] : faults;
}

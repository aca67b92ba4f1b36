import type { Page } from 'playwright-core';

import { faultsOf } from './axe.js';

/** What is wrong with a page as it is now: what axe-core finds, and whether it is wider than a window of 360 pixels. */
export async function wrongWith(page: Page): Promise<string[]> {
  const faults = await faultsOf(page);
  const before = page.viewportSize()!;
  await page.setViewportSize({ width: 360, height: 740 });
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  await page.setViewportSize(before);
  return width > 360 ? [...faults, `it is ${width} pixels wide`] : faults;
}

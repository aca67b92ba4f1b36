import type { Locator, Page } from 'playwright-core';

/** The name over every page, once it is that. */
export const brand = (page: Page, name: string): Locator => page.locator('.bar .brand', { hasText: name });

/** What is behind a thing, and its text. */
export const colorsOf = async (page: Page, place: string): Promise<string[]> =>
  page.evaluate<string[]>(
    `(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.querySelector('${place}')))`,
  );

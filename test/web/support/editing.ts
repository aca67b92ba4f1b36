import { readFile } from 'node:fs/promises';

import type { Page, Route } from 'playwright-core';
import { expect } from 'vitest';

import { faultsIn, faultsOf } from './axe.js';
import { press, tabTo } from './console.js';
import { narrowed } from './fits.js';

/** Goes to a field by Tab and writes over what is in it. */
export async function retype(page: Page, label: string, text: string): Promise<void> {
  await tabTo(page, label, 200);
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

/** Opens a dialog by keyboard, in which axe-core finds nothing wrong. */
export async function open(page: Page, button: string, title: string): Promise<void> {
  await press(page, button);
  await page.getByRole('dialog', { name: title }).waitFor();
  expect([title, await faultsIn(page, '[role=dialog]')]).toEqual([title, []]);
}

/** What the field that has the focus is described by: its hint, and what is wrong with it. */
export async function focusedFault(page: Page): Promise<string> {
  await page.locator(':focus[aria-invalid="true"]').waitFor();
  return page.evaluate<string>(
    `document.activeElement.getAttribute('aria-describedby').split(' ')
       .map((id) => document.getElementById(id)?.textContent).join(' ')`,
  );
}

/** From now on one operation is not answered, as behind a broken line. Answers how to mend that, and how often it was asked for. */
export async function unanswered(page: Page, operation: string) {
  let asked = 0;
  const refuse = async (route: Route) => {
    const body = route.request().postDataJSON() as { operationName?: string } | null;
    if (body?.operationName !== operation) return route.fallback();
    asked += 1;
    return route.abort();
  };
  await page.route('**/graphql', refuse);
  return { asked: () => asked, mend: async () => page.unroute('**/graphql', refuse) };
}

/** From now on a part of the panel is away for one operation, which answers with what the others know. */
export async function partAway(page: Page, operation: string, data: object | null = null): Promise<void> {
  const errors = [{ message: 'It is away', extensions: { code: 'UNAVAILABLE' } }];
  await page.route('**/graphql', async (route) => {
    const body = route.request().postDataJSON() as { operationName?: string } | null;
    return body?.operationName === operation ? route.fulfill({ json: { data, errors } }) : route.fallback();
  });
}

/** The next answer to one operation is lost on its way: what was asked is done. */
export async function answerLost(page: Page, operation: string): Promise<void> {
  let isLost = false;
  await page.route('**/graphql', async (route) => {
    const body = route.request().postDataJSON() as { operationName?: string } | null;
    if (isLost || body?.operationName !== operation) return route.fallback();
    isLost = true;
    await route.fetch();
    return route.abort();
  });
}

/** One operation is held up until it is let go. */
export async function heldUp(page: Page, operation: string): Promise<() => void> {
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await page.route('**/graphql', async (route) => {
    const body = route.request().postDataJSON() as { operationName?: string } | null;
    if (body?.operationName === operation) await held;
    return route.fallback();
  });
  return letGo;
}

/** The line of a list that has this text in it. */
export function line(page: Page, text: string) {
  return page.getByRole('listitem').filter({ hasText: text });
}

/** In the dark too axe-core finds no fault of colours, and a window of 360 pixels has all of it. */
export async function fits(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await faultsOf(page, ['color-contrast'])).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
  expect(await narrowed(page)).toBe(360);
  await page.setViewportSize({ width: 1280, height: 720 });
}

/** What a button has saved as a file of this name. */
export async function savedBy(page: Page, button: string, name: string): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent('download'), press(page, button)]);
  expect(file.suggestedFilename()).toBe(name);
  return readFile(await file.path(), 'utf8');
}

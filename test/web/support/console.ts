import type { Browser, BrowserContext, Page } from 'playwright-core';

import type { Tenant } from '../../support/world.js';
import { faultsOf } from './axe.js';

/** A person with a browser of their own, whose every complaint is kept. */
export class Person implements AsyncDisposable {
  /** What the browser complains of: errors in scripts, and what the page's own policy forbids. */
  readonly complaints: string[] = [];
  /** Addresses of other sites that anything was asked of. */
  readonly strangers: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    private readonly url: string,
  ) {}

  static async come(browser: Browser, url: string, more: object = {}): Promise<Person> {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...more });
    const person = new Person(context, url);
    const { origin } = new URL(url);
    context.on('request', (request) => {
      const asked = new URL(request.url());
      if (/^(http|ws)/.test(asked.protocol) && asked.host !== new URL(origin).host) {
        person.strangers.push(request.url());
      }
    });
    context.on('console', (message) => {
      // A refused sign-in, or a panel that is away, is told as failed requests too.
      if (
        message.type() === 'error' &&
        !/Failed to load resource|WebSocket connection/.test(message.text())
      ) {
        person.complaints.push(message.text());
      }
    });
    context.on('weberror', (error) => person.complaints.push(String(error.error())));
    return person;
  }

  async open(path = '/'): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(this.url + path);
    return page;
  }

  /** Signs in by keyboard alone, at whatever page was asked for. */
  async signIn({ account }: Pick<Tenant, 'account'>, path = '/'): Promise<Page> {
    const page = await this.open(path);
    await signInAt(page, { account });
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}

/** The same at a page that is open. */
export async function signInAt(page: Page, { account }: Pick<Tenant, 'account'>): Promise<void> {
  await page.getByLabel('E-mail').waitFor();
  await page.keyboard.type(account.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(account.password);
  await page.keyboard.press('Enter');
}

// As text, since tests know no types of pages.
const nameOfFocused = `(() => {
  const element = document.activeElement;
  const label = element?.labels?.[0]?.textContent;
  return (element?.getAttribute('aria-label') ?? label ?? element?.textContent ?? '').trim();
})()`;

/** Presses Tab until what is wanted has the focus, as someone without a mouse does. */
export async function tabTo(page: Page, name: RegExp | string, presses = 60): Promise<void> {
  const isIt = (text: string) => (typeof name === 'string' ? text === name : name.test(text));
  for (let at = 0; at < presses; at += 1) {
    const focused = await page.evaluate<string>(nameOfFocused);
    if (isIt(focused)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${String(name)} was not reached by ${presses} presses of Tab`);
}

export async function heading(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

/** Goes to a button, link or summary by Tab and presses it; `confirmed` is the button of the dialog that asks again. */
export async function press(page: Page, name: RegExp | string, confirmed?: string): Promise<void> {
  await tabTo(page, name, 200);
  await page.keyboard.press('Enter');
  if (confirmed === undefined) return;
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await tabTo(page, confirmed);
  await page.keyboard.press('Enter');
}

/** Goes to a choice by Tab and takes what is called so by typing it. */
export async function choose(page: Page, label: string, text: string): Promise<void> {
  const choice = page.locator('select').and(page.getByLabel(label, { exact: true }));
  await choice.locator('option', { hasText: text }).first().waitFor({ state: 'attached' });
  await tabTo(page, label, 200);
  await page.keyboard.type(text);
}

interface Visit {
  who: Pick<Tenant, 'account'>;
  path: string;
  work: (page: Page) => Promise<void>;
}

/** What a visit finds wrong where nothing is: faults of the page, complaints of the browser, other sites that were asked. */
export const nothingWrong = [[], [], []];

/** Somebody signs in at a page and works there. Answers what is wrong with it then. */
export async function visit(browser: Browser, url: string, { who, path, work }: Visit): Promise<string[][]> {
  await using person = await Person.come(browser, url);
  const page = await person.signIn(who, path);
  await page.locator('#main h1').waitFor();
  await work(page);
  return [await faultsOf(page), person.complaints, person.strangers];
}

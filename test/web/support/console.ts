import type {
  Browser,
  BrowserContext,
  ConsoleMessage,
  Cookie,
  Page,
  Request,
  WebError,
} from 'playwright-core';

import { until, type Tenant } from '../../support/world.js';
import { faultsOf } from './axe.js';

interface Seat {
  context: BrowserContext;
  page: Page;
}

/**
 * What people have left as they had found it, by the panel that they were at and their settings, for those who come next:
 * a first page costs a browser as much as five that follow, which find the console compiled.
 */
const free = new Map<string, Seat[]>();

/** Closes what is kept for those who come to a panel. Nobody does any more. */
export async function closeSeats(url: string): Promise<void> {
  for (const [place, seats] of free) {
    if (!place.startsWith(`${url} `)) continue;
    free.delete(place);
    await Promise.all(seats.map(async ({ context }) => context.close()));
  }
}

const ordinaryWindow = { width: 1280, height: 720 };

/** A person with a browser of their own, whose every complaint is kept. */
export class Person implements AsyncDisposable {
  /** What the browser complains of: errors in scripts, and what the page's own policy forbids. */
  readonly complaints: string[] = [];
  /** Addresses of other sites that anything was asked of. */
  readonly strangers: string[] = [];

  private page: Page | undefined;
  private readonly listeners = new AbortController();
  /** Whether the next one finds all of it as this one did. */
  private isAsItWas = true;

  private constructor(
    private readonly given: BrowserContext,
    private readonly url: string,
    private readonly place: string,
  ) {}

  static async come(browser: Browser, url: string, more: object = {}): Promise<Person> {
    const place = `${url} ${JSON.stringify(more)}`;
    const seat = free.get(place)?.pop();
    const context = seat?.context ?? (await browser.newContext({ reducedMotion: 'reduce', ...more }));
    const person = new Person(context, url, place);
    person.page = seat?.page;
    person.listen();
    return person;
  }

  /** For settings of its own, which stay with it: nobody else gets it then. */
  get context(): BrowserContext {
    this.isAsItWas = false;
    return this.given;
  }

  async cookies(): Promise<Cookie[]> {
    return this.given.cookies();
  }

  async setOffline(isOffline: boolean): Promise<void> {
    await this.given.setOffline(isOffline);
  }

  private listen(): void {
    const { host } = new URL(this.url);
    const onRequest = (request: Request) => {
      const asked = new URL(request.url());
      if (/^(http|ws)/.test(asked.protocol) && asked.host !== host) this.strangers.push(request.url());
    };
    const onConsole = (message: ConsoleMessage) => {
      // A refused sign-in, or a panel that is away, is told as failed requests too.
      if (
        message.type() === 'error' &&
        !/Failed to load resource|WebSocket connection/.test(message.text())
      ) {
        this.complaints.push(message.text());
      }
    };
    const onError = (error: WebError) => this.complaints.push(String(error.error()));
    this.given.on('request', onRequest).on('console', onConsole).on('weberror', onError);
    this.listeners.signal.addEventListener('abort', () =>
      this.given.off('request', onRequest).off('console', onConsole).off('weberror', onError),
    );
  }

  async open(path = '/'): Promise<Page> {
    const isFirst = this.page?.isClosed() === false && this.page.url() === 'about:blank';
    const page = isFirst ? this.page! : await this.given.newPage();
    this.page ??= page;
    await page.goto(this.url + path);
    return page;
  }

  /** Opens a page as one who has signed in, by a password alone. */
  async signIn({ account }: Pick<Tenant, 'account'>, path = '/'): Promise<Page> {
    const answer = await this.given.request.post(`${this.url}/console/session/login`, {
      headers: { origin: this.url, 'x-quazzar-console': '1' },
      data: { email: account.email, password: account.password },
    });
    const { accessToken } = (await answer.json()) as { accessToken?: string };
    if (accessToken === undefined) throw new Error(`${account.email} was not let in: ${answer.status()}`);
    return this.open(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { given, page } = this;
    const isThere = page?.isClosed() === false && page.url().startsWith(`${this.url}/`);
    if (!this.isAsItWas || !isThere) return given.close();
    for (const other of given.pages()) if (other !== page) await other.close();
    await page.unrouteAll();
    await given.setOffline(false);
    await page.evaluate('sessionStorage.clear(), localStorage.clear()');
    await page.goto('about:blank');
    await given.clearCookies();
    await page.emulateMedia({ colorScheme: null });
    await page.setViewportSize(ordinaryWindow);
    this.listeners.abort();
    free.set(this.place, [...(free.get(this.place) ?? []), { context: given, page }]);
  }
}

/** Signs in at a page that is open, by keyboard alone. */
export async function signInAt(page: Page, { account }: Pick<Tenant, 'account'>): Promise<void> {
  await page.getByLabel('E-mail').waitFor();
  await page.keyboard.type(account.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(account.password);
  await page.keyboard.press('Enter');
}

// As text, since tests know no types of pages.
const nameOf = `((element) => (element?.getAttribute('aria-label') ?? element?.labels?.[0]?.textContent ??
  element?.textContent ?? '').trim())`;

/** Where Tab stops, as an expression of the page. */
const stopsWithin = (place: string) => `[...${place}.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex]')]
  .filter((each) => each.tabIndex >= 0 && !each.disabled && !each.closest('[inert]') &&
    each.checkVisibility({ visibilityProperty: true }))`;

/** Whether something is what is wanted, as a function of the page. */
const isCalled = (name: RegExp | string) =>
  typeof name === 'string'
    ? `((element) => ${nameOf}(element) === ${JSON.stringify(name)})`
    : `((element) => ${String(name)}.test(${nameOf}(element)))`;

const isFocused = (name: RegExp | string) => `${isCalled(name)}(document.activeElement)`;

/**
 * Moves the focus to right before the next stop of Tab that is called so, unless that is where it is; nothing is before
 * the first one of a dialog. Answers whether there is one, and whether it has the focus.
 */
const comeBefore = (name: RegExp | string) => `(() => {
  const isIt = ${isCalled(name)};
  const active = document.activeElement;
  if (isIt(active)) return [true, true];
  const stops = ${stopsWithin('document')};
  const wanted = stops.filter(isIt);
  const follows = (each) => active.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING;
  const next = wanted.find(follows) ?? wanted[0];
  const before = stops[stops.indexOf(next) - 1];
  const place = '[role=dialog], dialog';
  if (before?.closest(place) === next?.closest(place)) before?.focus();
  return [next !== undefined, false];
})()`;

/**
 * Goes by Tab to what is wanted, as someone without a mouse does, from the stop before it. That nothing on the way there
 * keeps the focus is seen where each page is walked by Tab.
 */
export async function tabTo(page: Page, name: RegExp | string, presses = 60): Promise<void> {
  let isThere = false;
  await until(
    async () => {
      const [isAStop, isFocusedAlready] = await page.evaluate<[boolean, boolean]>(comeBefore(name));
      isThere = isFocusedAlready;
      return isAStop;
    },
    `${String(name)} to be a stop of Tab`,
  );
  for (let at = 0; at < presses && !isThere; at += 1) {
    await page.keyboard.press('Tab');
    isThere = await page.evaluate<boolean>(isFocused(name));
  }
  if (!isThere) throw new Error(`${String(name)} was not reached by ${presses} presses of Tab`);
}

/** Whether Tab alone comes from the first stop of the page itself to the last: nothing on the way keeps it. */
export async function isWalkedByTab(page: Page): Promise<boolean> {
  const within = stopsWithin("document.querySelector('#main')");
  const stops = await page.evaluate<number>(
    `(() => { const stops = ${within}; stops[0]?.focus(); return stops.length; })()`,
  );
  const isAtTheEnd = async () => page.evaluate<boolean>(`(${within}).at(-1) === document.activeElement`);
  // Choices of which one is taken are one stop, and fields for a time are several.
  for (let presses = 1; presses < stops - 4; presses += 1) await page.keyboard.press('Tab');
  for (let presses = 0; presses < stops + 40; presses += 1) {
    if (stops === 0 || (await isAtTheEnd())) return true;
    await page.keyboard.press('Tab');
  }
  return false;
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

/** Goes to a choice by Tab and takes the first one that begins so. */
export async function choose(page: Page, label: string, text: string): Promise<void> {
  const choice = page.locator('select').and(page.getByLabel(label, { exact: true }));
  await choice.locator('option', { hasText: text }).first().waitFor({ state: 'attached' });
  await tabTo(page, label, 200);
  const focused = page.locator('select:focus');
  const all = await focused.locator('option').allTextContents();
  await focused.selectOption({ index: all.findIndex((each) => each.trim().startsWith(text)) });
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

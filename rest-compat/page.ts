import { once } from 'node:events';

import type { Request, Response } from 'express';

import { sendEmpty, sendJson } from './respond.js';

/** The most nodes that one page holds. */
export const longestPage = 500;

/** What a page's document selects under `reply`, its nodes already rendered. */
export interface Page {
  nodes: unknown[];
  pageInfo: { endCursor: string | null; hasNextPage: boolean };
  /** Only of the page that was asked for first. */
  totalCount?: number;
}

/** Runs the operation once and answers its `reply`; throws a Refusal. */
export type FetchPage = (variables: Record<string, unknown>, which: 'first' | 'later') => Promise<Page>;

/**
 * Answers a list. With `limit` it is one page and a link to the next; without, the whole list, streamed page by page.
 * Throws only while nothing has been sent.
 */
export async function answerPage(
  request: Request,
  response: Response,
  variables: Record<string, unknown>,
  fetchPage: FetchPage,
): Promise<void> {
  const first = variables.first ?? longestPage;
  const page = await fetchPage({ ...variables, first }, 'first');
  response.setHeader('X-Total-Count', page.totalCount ?? page.nodes.length);
  const next = nextCursor(page, variables.after);
  if (variables.first !== undefined && next !== undefined) {
    response.setHeader('Link', `<${linkTo(request, next)}>; rel="next"`);
  }
  if (request.method === 'HEAD') {
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    sendEmpty(response, 200);
  } else if (variables.first !== undefined || next === undefined) sendJson(response, 200, page.nodes);
  else await streamFrom(page, next, response, (after) => fetchPage({ ...variables, first, after }, 'later'));
}

/** A page of a list that is there as a whole. */
export function cutPage(all: readonly unknown[], { first, after }: Record<string, unknown>): Page {
  const from = Number(after ?? 0);
  const to = from + Number(first);
  const pageInfo = { endCursor: String(to), hasNextPage: to < all.length };
  return { nodes: all.slice(from, to), pageInfo, totalCount: all.length };
}

/** Holds two pages at most: the next is asked for while the client takes the one before, and no further one. */
async function streamFrom(
  firstPage: Page,
  firstCursor: string,
  response: Response,
  fetchAfter: (cursor: string) => Promise<Page>,
): Promise<void> {
  response.statusCode = 200;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  let separator = '[';
  let page = firstPage;
  let cursor: string | undefined = firstCursor;
  for (;;) {
    const ahead: Promise<Page> | undefined = cursor === undefined ? undefined : fetchAfter(cursor);
    // Where the client goes away meanwhile nobody waits for it.
    ahead?.catch(() => undefined);
    if (page.nodes.length > 0) {
      if (!(await write(response, separator + JSON.stringify(page.nodes).slice(1, -1)))) return;
      separator = ',';
    }
    if (!ahead) break;
    page = await ahead;
    cursor = nextCursor(page, cursor);
  }
  response.end(separator === '[' ? '[]' : ']');
}

/** False once the client is gone. */
async function write(response: Response, text: string): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(text)) return true;
  const gone = new AbortController();
  const closed = (): void => gone.abort();
  response.once('close', closed);
  try {
    await once(response, 'drain', { signal: gone.signal });
    return true;
  } catch {
    return false;
  } finally {
    response.off('close', closed);
  }
}

/** Undefined on the last page. A cursor that does not move would make the list endless. */
function nextCursor({ pageInfo }: Page, before: unknown): string | undefined {
  if (!pageInfo.hasNextPage) return undefined;
  if (pageInfo.endCursor === null || pageInfo.endCursor === before) {
    throw new Error('a page has a next one but no cursor to it');
  }
  return pageInfo.endCursor;
}

/** The address of the next page: this request's, with every parameter kept but the cursor. */
function linkTo(request: Request, cursor: string): string {
  // As it was sent, but for what must not stand between the angle brackets of a Link.
  const path = (request.baseUrl + request.path).replaceAll(/[<>"]/g, encodeURIComponent);
  const query = queryOf(request);
  query.set('cursor', cursor);
  return `${path}?${query.toString()}`;
}

/** Parsed here and not by Express, whose parser an application may set to another dialect. */
export function queryOf(request: Request): URLSearchParams {
  const at = request.url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1));
}

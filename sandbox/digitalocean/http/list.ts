import type { Call } from '../../cloud/http/operation.js';
import { DigitalOceanError } from '../errors.js';

const usually = 20;
const most = 200;

/** One page of a list, with the addresses of the others. */
export function listOf<Item>(
  name: string,
  items: readonly Item[],
  { url, query }: Pick<Call, 'url' | 'query'>,
  view: (item: Item) => object,
): object {
  const page = numberOf(query, 'page', 1);
  const perPage = Math.min(numberOf(query, 'per_page', usually), most);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const at = (number: number) => {
    const address = new URL(url);
    address.searchParams.set('page', String(number));
    return address.href;
  };
  const pages = {
    ...(page > 1 ? { first: at(1), prev: at(page - 1) } : {}),
    ...(page < last ? { next: at(page + 1), last: at(last) } : {}),
  };
  return {
    [name]: items.slice((page - 1) * perPage, page * perPage).map(view),
    links: Object.keys(pages).length > 0 ? { pages } : {},
    meta: { total: items.length },
  };
}

function numberOf(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new DigitalOceanError('bad_request', `${name} must be a positive number`);
  return value;
}

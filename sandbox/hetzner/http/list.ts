import { invalidInput } from '../errors.js';

interface Listed {
  id: number;
  name?: string;
  created?: string;
}

/** One page of a list, sorted as asked for, with what tells of the others. */
export function listOf<Item extends Listed>(
  name: string,
  items: readonly Item[],
  query: URLSearchParams,
  view: (item: Item) => object,
): object {
  const page = numberOf(query, 'page', 1, Number.MAX_SAFE_INTEGER);
  const perPage = numberOf(query, 'per_page', 25, 50);
  const sorted = query
    .getAll('sort')
    .toReversed()
    .reduce<readonly Item[]>((so, wanted) => sortedBy(so, wanted), items);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  return {
    [name]: sorted.slice((page - 1) * perPage, page * perPage).map(view),
    meta: {
      pagination: {
        page,
        per_page: perPage,
        previous_page: page > 1 ? page - 1 : null,
        next_page: page < last ? page + 1 : null,
        last_page: last,
        total_entries: items.length,
      },
    },
  };
}

function sortedBy<Item extends Listed>(items: readonly Item[], wanted: string): Item[] {
  const [key = '', direction = 'asc'] = wanted.split(':');
  if (!['id', 'name', 'created'].includes(key) || !['asc', 'desc'].includes(direction))
    throw invalidInput('sort', 'unknown sort order');
  const by = key as keyof Listed;
  const sign = direction === 'asc' ? 1 : -1;
  return items.toSorted((a, b) => (a[by]! < b[by]! ? -sign : a[by]! > b[by]! ? sign : 0));
}

function numberOf(query: URLSearchParams, name: string, otherwise: number, most: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw invalidInput(name, 'must be a positive number');
  return Math.min(value, most);
}

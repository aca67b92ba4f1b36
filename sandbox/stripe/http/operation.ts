import type { z } from 'zod';

import { invalid, missing } from '../errors.js';
import type { TableName, Tables } from '../store/stored.js';
import type { World } from '../world.js';

/** A call of the API: where it is, what it takes, and what it does. */
export interface Operation {
  method: 'GET' | 'POST' | 'DELETE';
  /** Parts with a colon are given to `run` by name. */
  path: string;
  parameters: z.ZodType;
  /** Gets the parameters but `expand`, which is about the answer. The resource, list or deletion that is answered; who asked is in the world. */
  run: (world: World, parameters: never, path: Record<string, string>) => object;
}

export function operation<Schema extends z.ZodType>(
  method: Operation['method'],
  path: string,
  parameters: Schema,
  run: (world: World, parameters: Omit<z.infer<Schema>, 'expand'>, path: Record<string, string>) => object,
): Operation {
  return { method, path, parameters, run };
}

/** The resource that the path names. */
export function inPath<Name extends TableName>(
  world: World,
  table: Name,
  path: Record<string, string>,
): Tables[Name] {
  return existing(world, table, path['id'] ?? '');
}

/** The resource with this id. `param` is the parameter that names it, absent where the path does. */
export function existing<Name extends TableName>(
  world: World,
  table: Name,
  id: string,
  param?: string,
): Tables[Name] {
  const resource = world.store.get(table, id);
  if (!resource) throw missing(words[table] ?? table, id, param);
  return resource;
}

const words: Partial<Record<TableName, string>> = {
  payment_method: 'PaymentMethod',
  invoiceitem: 'invoiceitem',
  'checkout.session': 'checkout.session',
  'test_helpers.test_clock': 'test clock',
  webhook_endpoint: 'webhook endpoint',
};

export function deletion(object: string, id: string): object {
  return { id, object, deleted: true };
}

export interface PageRequest {
  limit?: number | undefined;
  starting_after?: string | undefined;
  ending_before?: string | undefined;
}

/** One page of a list, newest first. */
export function page<Row extends { readonly id: string }>(
  url: string,
  oldestFirst: readonly Row[],
  { limit = 10, starting_after: after, ending_before: before }: PageRequest,
): object {
  if (limit < 1 || limit > 100)
    throw invalid(
      `This value must be ${limit < 1 ? 'greater than or equal to 1' : 'less than or equal to 100'}.`,
      'limit',
      'parameter_invalid_integer',
    );
  if (after !== undefined && before !== undefined)
    throw invalid(
      'You may only specify one of these parameters: starting_after, ending_before.',
      undefined,
      'parameters_exclusive',
    );
  const rows = oldestFirst.toReversed();
  const cursor = after ?? before;
  const place = rows.findIndex(({ id }) => id === cursor);
  if (cursor !== undefined && place < 0)
    throw missing('object', cursor, after === undefined ? 'ending_before' : 'starting_after');
  const rest =
    after !== undefined ? rows.slice(place + 1) : before !== undefined ? rows.slice(0, place) : rows;
  const data = before === undefined ? rest.slice(0, limit) : rest.slice(-limit);
  return { object: 'list', data, has_more: rest.length > data.length, url };
}

/** Several fields as they come out of a change: what a parameter does not name stays. */
export function given<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

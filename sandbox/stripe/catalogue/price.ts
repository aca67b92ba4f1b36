import { z } from 'zod';

import { invalid } from '../errors.js';
import { changedMetadata, expand, flag, integer, isWithin, metadata, range, text } from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { existing, given, inPath, operation } from '../http/operation.js';
import { newId } from '../store/ids.js';
import type { Price } from '../store/stored.js';
import type { World } from '../world.js';
import { makeProduct } from './product.js';

const path = '/v1/prices';

/** A price that is charged again and again, which is what subscriptions have. */
export type RecurringPrice = Price & { readonly recurring: NonNullable<Price['recurring']> };

export function recurringPrice(world: World, id: string, param: string): RecurringPrice {
  const price = existing(world, 'price', id, param);
  const { recurring } = price;
  if (!recurring)
    throw invalid(
      `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`,
      param,
    );
  if (!price.active)
    throw invalid(`The price specified is inactive. This field only accepts active prices.`, param);
  return { ...price, recurring };
}

const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/, 'Invalid currency: it must be three letters.')
  .transform((code) => code.toLowerCase());

export const recurringParameters = z.strictObject({
  interval: z.enum(['day', 'week', 'month', 'year']),
  interval_count: integer.optional(),
  usage_type: z.enum(['licensed', 'metered']).optional(),
});

const longestYears = 3;
const intervalsInYear: Record<string, number> = { day: 365, week: 52, month: 12, year: 1 };

interface NewPrice {
  currency: string;
  product: string;
  unit_amount: number;
  recurring?: z.infer<typeof recurringParameters> | undefined;
  active?: boolean | undefined;
  lookup_key?: string | null | undefined;
  metadata?: Record<string, string> | undefined;
  nickname?: string | null | undefined;
  tax_behavior?: 'exclusive' | 'inclusive' | 'unspecified' | undefined;
}

export function makePrice(world: World, { recurring, unit_amount: amount, ...fields }: NewPrice): Price {
  if (amount < 0)
    throw invalid(
      'This value must be greater than or equal to 0.',
      'unit_amount',
      'parameter_invalid_integer',
    );
  if (recurring?.usage_type === 'metered')
    throw invalid('Metered prices are not part of this stand-in.', 'recurring[usage_type]');
  const count = recurring?.interval_count ?? 1;
  const most = longestYears * (intervalsInYear[recurring?.interval ?? 'year'] ?? 1);
  if (count < 1 || count > most)
    throw invalid(
      `Invalid recurring[interval_count]: must be between 1 and ${most}.`,
      'recurring[interval_count]',
    );
  const price = world.store.put('price', {
    id: newId('price'),
    object: 'price',
    active: true,
    billing_scheme: 'per_unit',
    created: world.now(null),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    recurring: recurring
      ? {
          interval: recurring.interval,
          interval_count: count,
          meter: null,
          trial_period_days: null,
          usage_type: 'licensed',
        }
      : null,
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: recurring ? 'recurring' : 'one_time',
    unit_amount: amount,
    unit_amount_decimal: String(amount),
    ...given(fields),
  });
  world.emit('price.created', price);
  return price;
}

/** Frees the key for this price, from the price that has it when `mayTransfer`. */
function claimLookupKey(
  world: World,
  key: string | null | undefined,
  mayTransfer: boolean | undefined,
): void {
  if (key === null || key === undefined) return;
  const holder = world.store.all('price').find((price) => price.lookup_key === key);
  if (!holder) return;
  if (!mayTransfer)
    throw invalid(
      `A price (\`${holder.id}\`) already uses that lookup key.`,
      'lookup_key',
      'resource_already_exists',
    );
  world.emit('price.updated', world.store.change('price', holder.id, { lookup_key: null }), holder);
}

const writable = {
  active: flag.optional(),
  expand,
  lookup_key: text.max(200).optional(),
  metadata: metadata.optional(),
  nickname: text.optional(),
  tax_behavior: z.enum(['exclusive', 'inclusive', 'unspecified']).optional(),
  transfer_lookup_key: flag.optional(),
};

export const priceOperations = [
  operation(
    'POST',
    path,
    z.strictObject({
      ...writable,
      currency,
      product: text.optional(),
      product_data: z
        .strictObject({ name: text, metadata: metadata.optional(), unit_label: text.optional() })
        .optional(),
      recurring: recurringParameters.optional(),
      unit_amount: integer,
    }),
    (
      world,
      { metadata: data, product, product_data: newProduct, transfer_lookup_key: mayTransfer, ...fields },
    ) => {
      if ((product === undefined) === (newProduct === undefined))
        throw invalid(
          'You must specify either `product` or `product_data` when creating a price.',
          'product',
          'parameter_missing',
        );
      const owner = newProduct
        ? makeProduct(world, {
            ...given({ ...newProduct, metadata: undefined }),
            metadata: changedMetadata({}, newProduct.metadata),
          } as { name: string })
        : existing(world, 'product', product ?? '', 'product');
      claimLookupKey(world, fields.lookup_key, mayTransfer);
      return makePrice(world, { ...fields, product: owner.id, metadata: changedMetadata({}, data) });
    },
  ),
  operation(
    'POST',
    `${path}/:id`,
    z.strictObject(writable),
    (world, { metadata: data, transfer_lookup_key: mayTransfer, ...fields }, at) => {
      const before = inPath(world, 'price', at);
      if (fields.lookup_key !== before.lookup_key) claimLookupKey(world, fields.lookup_key, mayTransfer);
      const after = world.store.change('price', before.id, {
        ...given(fields),
        metadata: changedMetadata(before.metadata, data),
      });
      world.emit('price.updated', after, before);
      return after;
    },
  ),
  retrieval('price', path),
  listing(
    'price',
    path,
    {
      active: flag.optional(),
      created: range.optional(),
      currency: currency.optional(),
      lookup_keys: z.array(text).max(10).optional(),
      product: text.optional(),
      recurring: z.strictObject({ interval: z.enum(['day', 'week', 'month', 'year']).optional() }).optional(),
      type: z.enum(['one_time', 'recurring']).optional(),
    },
    (price, wanted) =>
      (wanted.active === undefined || price.active === wanted.active) &&
      isWithin(price.created, wanted.created) &&
      (wanted.currency === undefined || price.currency === wanted.currency) &&
      (wanted.lookup_keys === undefined || wanted.lookup_keys.includes(price.lookup_key ?? '')) &&
      (wanted.product === undefined || price.product === wanted.product) &&
      (wanted.recurring?.interval === undefined || price.recurring?.interval === wanted.recurring.interval) &&
      (wanted.type === undefined || price.type === wanted.type),
  ),
];

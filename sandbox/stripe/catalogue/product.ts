import { z } from 'zod';

import { invalid } from '../errors.js';
import {
  changedMetadata,
  expand,
  flag,
  isWithin,
  metadata,
  range,
  text,
  unsettableText,
} from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { deletion, existing, given, inPath, operation } from '../http/operation.js';
import { newId } from '../store/ids.js';
import type { Product } from '../store/stored.js';
import type { World } from '../world.js';

const path = '/v1/products';

const writable = {
  active: flag.optional(),
  description: unsettableText.optional(),
  expand,
  metadata: metadata.optional(),
  statement_descriptor: text.optional(),
  tax_code: text.optional(),
  unit_label: unsettableText.optional(),
  url: unsettableText.optional(),
};

/** A product as it is made; the product of a price that is made with one, too. */
export function makeProduct(world: World, fields: Partial<Product> & { name: string }): Product {
  const now = world.now(null);
  const product = world.store.put('product', {
    id: newId('product'),
    object: 'product',
    active: true,
    created: now,
    default_price: null,
    description: null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: {},
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: now,
    url: null,
    ...fields,
  });
  world.emit('product.created', product);
  return product;
}

export const productOperations = [
  operation(
    'POST',
    path,
    z.strictObject({ ...writable, id: text.optional(), name: text }),
    (world, { metadata: data, ...fields }) => {
      if (fields.id !== undefined && world.store.get('product', fields.id))
        throw invalid('Product already exists.', 'id', 'resource_already_exists');
      return makeProduct(world, { ...given(fields), metadata: changedMetadata({}, data) });
    },
  ),
  operation(
    'POST',
    `${path}/:id`,
    z.strictObject({ ...writable, name: text.optional(), default_price: text.optional() }),
    (world, { metadata: data, ...fields }, at) => {
      const before = inPath(world, 'product', at);
      if (fields.default_price !== undefined) existing(world, 'price', fields.default_price, 'default_price');
      const after = world.store.change('product', before.id, {
        ...given(fields),
        metadata: changedMetadata(before.metadata, data),
        updated: world.now(null),
      });
      world.emit('product.updated', after, before);
      return after;
    },
  ),
  operation('DELETE', `${path}/:id`, z.strictObject({}), (world, _, at) => {
    const product = inPath(world, 'product', at);
    if (world.store.all('price').some((price) => price.product === product.id))
      throw invalid('This product cannot be deleted because it has one or more user-created prices.');
    world.store.delete('product', product.id);
    world.emit('product.deleted', product);
    return deletion('product', product.id);
  }),
  retrieval('product', path),
  listing(
    'product',
    path,
    { active: flag.optional(), created: range.optional(), ids: z.array(text).optional() },
    (product, { active, created, ids }) =>
      (active === undefined || product.active === active) &&
      isWithin(product.created, created) &&
      (ids?.includes(product.id) ?? true),
  ),
];

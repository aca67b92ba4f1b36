import { z } from 'zod';

import {
  changedMetadata,
  expand,
  flag,
  isWithin,
  metadata,
  pageParameters,
  range,
  text,
  unsettableText,
} from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { deletion, given, inPath, operation, page } from '../http/operation.js';
import { newId, randomText } from '../store/ids.js';
import type { WebhookEndpoint } from '../store/stored.js';
import { apiVersion, type World } from '../world.js';

const path = '/v1/webhook_endpoints';

interface NewEndpoint {
  url: string;
  enabled_events: readonly string[];
  secret?: string;
  description?: string | null | undefined;
  metadata?: Record<string, string>;
}

export function makeEndpoint(world: World, wanted: NewEndpoint): WebhookEndpoint {
  return world.store.put('webhook_endpoint', {
    id: newId('webhook_endpoint'),
    object: 'webhook_endpoint',
    api_version: apiVersion,
    application: null,
    created: world.now(null),
    description: wanted.description ?? null,
    enabled_events: wanted.enabled_events,
    livemode: false,
    metadata: wanted.metadata ?? {},
    secret: wanted.secret ?? `whsec_${randomText(32)}`,
    status: 'enabled',
    url: wanted.url,
  });
}

// The secret is told once, when the endpoint is made.
function withoutSecret(endpoint: WebhookEndpoint): object {
  return { ...endpoint, secret: undefined };
}

const url = text.refine(
  (value) => /^https?:\/\//.test(value),
  'Invalid URL: An explicit scheme (such as https) must be provided.',
);

export const webhookOperations = [
  operation(
    'POST',
    path,
    z.strictObject({
      api_version: text.optional(),
      description: unsettableText.optional(),
      enabled_events: z.array(text),
      expand,
      metadata: metadata.optional(),
      url,
    }),
    (world, wanted) => makeEndpoint(world, { ...wanted, metadata: changedMetadata({}, wanted.metadata) }),
  ),
  operation(
    'POST',
    `${path}/:id`,
    z.strictObject({
      description: unsettableText.optional(),
      disabled: flag.optional(),
      enabled_events: z.array(text).optional(),
      expand,
      metadata: metadata.optional(),
      url: url.optional(),
    }),
    (world, { metadata: data, disabled, ...fields }, at) => {
      const before = inPath(world, 'webhook_endpoint', at);
      return withoutSecret(
        world.store.change('webhook_endpoint', before.id, {
          ...given(fields),
          ...(disabled !== undefined && { status: disabled ? 'disabled' : 'enabled' }),
          metadata: changedMetadata(before.metadata, data),
        }),
      );
    },
  ),
  operation('DELETE', `${path}/:id`, z.strictObject({}), (world, _, at) => {
    const endpoint = inPath(world, 'webhook_endpoint', at);
    world.store.delete('webhook_endpoint', endpoint.id);
    return deletion('webhook_endpoint', endpoint.id);
  }),
  operation('GET', `${path}/:id`, z.strictObject({ expand }), (world, _, at) =>
    withoutSecret(inPath(world, 'webhook_endpoint', at)),
  ),
  operation('GET', path, z.strictObject(pageParameters), (world, pages) =>
    page(path, world.store.all('webhook_endpoint').map(withoutSecret) as { id: string }[], pages),
  ),
  retrieval('event', '/v1/events'),
  listing(
    'event',
    '/v1/events',
    {
      created: range.optional(),
      delivery_success: flag.optional(),
      type: text.optional(),
      types: z.array(text).max(20).optional(),
    },
    (event, { created, delivery_success: isDelivered, type, types }) =>
      isWithin(event.created, created) &&
      (isDelivered === undefined || (event.pending_webhooks === 0) === isDelivered) &&
      (type === undefined || matches(event.type, type)) &&
      (types === undefined || types.some((one) => matches(event.type, one))),
  ),
];

function matches(type: string, wanted: string): boolean {
  return wanted === '*' || (wanted.endsWith('.*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted);
}

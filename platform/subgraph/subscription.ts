import type { SubscribeResolverData } from 'type-graphql';

import { ApiError } from '../errors.js';
import type { StreamedEvent, StreamOptions } from '../outbox/event-stream.js';
import type { SubgraphContext } from './build.js';
import type { Operation } from './operation.js';

/**
 * The source of a `@Subscription`: events of the viewer's tenant, for viewers with the permission. It is checked when
 * the stream is opened, and by the field's `@Authorized` again at each event.
 */
export function eventSource<Args extends object>(
  permission: string,
  options: (args: Args, operation: Operation) => StreamOptions,
) {
  return async ({
    context,
    args,
  }: SubscribeResolverData<unknown, Args, SubgraphContext>): Promise<AsyncIterable<StreamedEvent>> => {
    context.operation.require(permission);
    if (!context.streams) throw new ApiError('UNAVAILABLE', 'This process serves no subscriptions');
    return context.streams.open(context.operation, options(args, context.operation));
  };
}

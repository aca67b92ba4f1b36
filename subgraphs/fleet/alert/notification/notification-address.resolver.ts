import { Arg, Authorized, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { NotificationAddress } from './notification-address.entity.js';
import type { NotificationAddressService } from './notification-address.service.js';
import { NotificationChannel } from './notification-channel.entity.js';
import { ConfirmNotificationAddressInput } from './notification.inputs.js';

@Resolver(() => NotificationAddress)
export class NotificationAddressResolver {
  constructor(private readonly addresses: NotificationAddressService) {}

  @Mutation(() => NotificationAddress, {
    description:
      'Says by the link that was mailed to an address that its reader wants the alerts. Public. UNAUTHENTICATED ' +
      '(ADDRESS_TOKEN_INVALID) when the link is unknown, ended or used.',
  })
  async confirmNotificationAddress(
    @Arg('input', () => ConfirmNotificationAddressInput, { description: 'The link.' })
    input: ConfirmNotificationAddressInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<NotificationAddress> {
    return this.addresses.confirm(operation, input.token);
  }

  @Authorized('fleet.channel.manage')
  @Mutation(() => NotificationChannel, {
    description:
      'Mails a new link to the addresses of a channel that have not confirmed; the one before it ends. Left out are ' +
      'those that had one within 10 minutes, or five in all. NOT_FOUND, RATE_LIMITED (TOO_MANY_ADDRESSES) above 30 ' +
      'addresses of a tenant within a day.',
  })
  async sendAddressConfirmations(
    @Arg('channelId', () => ID, { description: 'The channel.' }) channelId: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<NotificationChannel> {
    return this.addresses.askAgain(operation, channelId);
  }

  @FieldResolver(() => Boolean, { description: 'Whether alerts are mailed to it.' })
  isConfirmed(@Root() { confirmedAt }: NotificationAddress): boolean {
    return confirmedAt !== null;
  }
}

@Resolver(() => NotificationChannel)
export class ChannelAddressesResolver {
  constructor(private readonly service: NotificationAddressService) {}

  @FieldResolver(() => [NotificationAddress], {
    description: 'The recipients and whether each has confirmed that it wants alerts; empty for a webhook.',
  })
  async addresses(
    @Root() channel: NotificationChannel,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<NotificationAddress[]> {
    return this.service.of(operation, channel);
  }
}

import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Query,
  Resolver,
  Root,
} from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';

import { NotificationChannel, NotificationChannelPage } from './notification-channel.entity.js';
import type { NotificationChannelService } from './notification-channel.service.js';
import {
  DeliveryAttempt,
  NotificationDelivery,
  NotificationDeliveryPage,
} from './notification-delivery.entity.js';
import type { NotificationDeliveryService } from './notification-delivery.service.js';
import {
  CreateEmailChannelInput,
  CreateWebhookChannelInput,
  NotificationDeliveryFilter,
  RotateWebhookSecretInput,
  UpdateNotificationChannelInput,
  WebhookSecretPayload,
} from './notification.inputs.js';

@ArgsType()
class NotificationDeliveriesArgs extends PageArgs {
  @Field(() => NotificationDeliveryFilter, { nullable: true, description: 'Narrows the list.' })
  filter?: NotificationDeliveryFilter | null;
}

const channelArg = { description: 'The channel.' };

@Resolver()
export class NotificationChannelResolver {
  constructor(private readonly channels: NotificationChannelService) {}

  @Authorized('fleet.channel.read')
  @Query(() => NotificationChannelPage, {
    description: 'Where the tenant is told of alerts, in the order it was set up.',
  })
  async notificationChannels(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<NotificationChannel>> {
    return this.channels.page(operation, args);
  }

  @Authorized('fleet.channel.manage')
  @Mutation(() => WebhookSecretPayload, {
    description:
      'Has alerts sent to a URL, signed with a new secret. VALIDATION_FAILED, also for addresses that are not public; ' +
      'LIMIT_REACHED (CHANNELS_LIMIT) at 20.',
  })
  async createWebhookChannel(
    @Arg('input', () => CreateWebhookChannelInput, { description: 'The webhook.' })
    input: CreateWebhookChannelInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<WebhookSecretPayload> {
    return this.channels.createWebhook(operation, input);
  }

  @Authorized('fleet.channel.manage')
  @Mutation(() => NotificationChannel, {
    description:
      'Has alerts mailed to those of the addresses that confirm it. At most 100 alert mails leave for a tenant within ' +
      'an hour. VALIDATION_FAILED, LIMIT_REACHED (CHANNELS_LIMIT) at 20, RATE_LIMITED (TOO_MANY_ADDRESSES) above 30 ' +
      'addresses within a day.',
  })
  async createEmailChannel(
    @Arg('input', () => CreateEmailChannelInput, { description: 'The addresses.' })
    input: CreateEmailChannelInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<NotificationChannel> {
    return this.channels.createEmail(operation, input);
  }

  @Authorized('fleet.channel.manage')
  @Mutation(() => NotificationChannel, {
    description: 'Changes a channel. NOT_FOUND, VALIDATION_FAILED, RATE_LIMITED (TOO_MANY_ADDRESSES).',
  })
  async updateNotificationChannel(
    @Arg('input', () => UpdateNotificationChannelInput, { description: 'What changes.' })
    input: UpdateNotificationChannelInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<NotificationChannel> {
    return this.channels.update(operation, input);
  }

  @Authorized('fleet.channel.manage')
  @Mutation(() => NotificationChannel, {
    description: 'Removes a channel; what is on its way to it is given up. NOT_FOUND, also when repeated.',
  })
  async deleteNotificationChannel(
    @Arg('id', () => ID, channelArg) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<NotificationChannel> {
    return this.channels.delete(operation, id);
  }

  @Authorized('fleet.channel.manage')
  @Mutation(() => WebhookSecretPayload, {
    description:
      'Gives a webhook a new secret. For a while messages carry a signature by each, so that the receiver can follow. ' +
      'NOT_FOUND, CONFLICT (CHANNEL_HAS_NO_SECRET).',
  })
  async rotateWebhookSecret(
    @Arg('input', () => RotateWebhookSecretInput, {
      description: 'Which, and for how long the old secret counts.',
    })
    input: RotateWebhookSecretInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<WebhookSecretPayload> {
    return this.channels.rotateSecret(operation, input);
  }
}

@Resolver(() => NotificationDelivery)
export class NotificationDeliveryResolver {
  constructor(private readonly deliveries: NotificationDeliveryService) {}

  @Authorized('fleet.channel.read')
  @Query(() => NotificationDeliveryPage, { description: 'What was sent to channels, newest first.' })
  async notificationDeliveries(
    @Args(() => NotificationDeliveriesArgs) { filter, ...page }: NotificationDeliveriesArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<NotificationDelivery>> {
    return this.deliveries.page(operation, page, filter);
  }

  @Authorized('fleet.channel.manage')
  @Mutation(() => NotificationDelivery, {
    description:
      'Sends a channel a message without alerts, to see whether it arrives. NOT_FOUND, RATE_LIMITED (TOO_MANY_TESTS) ' +
      'above 20 within an hour.',
  })
  async sendTestNotification(
    @Arg('channelId', () => ID, channelArg) channelId: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<NotificationDelivery> {
    return this.deliveries.sendTest(operation, channelId);
  }

  @FieldResolver(() => [DeliveryAttempt], { description: 'Every attempt so far, the first one first.' })
  attempts(@Root() { attempts }: NotificationDelivery): DeliveryAttempt[] {
    return attempts.map((attempt) => ({ ...attempt, at: new Date(attempt.at) }));
  }
}
